/** Reading a JSON object from a request's body, whatever content type it claims. */
import type { HttpRequest } from './server.ts';
import { isRecord } from './request-parameters.ts';

const BODY_BYTES_MAX = 8_000_000;

export interface BodyError {
  readonly status: 400 | 413;
  /** JSON. */
  readonly body: string;
}

export type JsonBody = Readonly<Record<string, unknown>>;

/** An empty body is an empty object. */
export async function readJsonObject(request: HttpRequest): Promise<{ readonly json: JsonBody } | BodyError> {
  const bytes = await readBytes(request);
  if (!Buffer.isBuffer(bytes)) return bytes;
  if (bytes.length === 0) return { json: {} };
  const parsed = parseJson(bytes.toString('utf8'));
  if ('status' in parsed) return parsed;
  return isRecord(parsed.value) ? { json: parsed.value } : bodyError(400, { error: 'Request body must be a JSON object' });
}

async function readBytes(request: HttpRequest): Promise<Buffer | BodyError> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of request.iterator({ destroyOnReturn: false })) {
      size += piece.length;
      if (size > BODY_BYTES_MAX) return tooLarge(request);
      pieces.push(piece);
    }
  } catch (error) {
    if (isConnectionLoss(error)) return bodyError(400, { error: 'Failed to read request body' });
    throw error;
  }
  return Buffer.concat(pieces, size);
}

/** The rest is read and dropped, so that the client, still sending, gets to see the answer. */
function tooLarge(request: HttpRequest): BodyError {
  request.resume();
  return bodyError(413, { error: 'Request body too large' });
}

function parseJson(text: string): { readonly value: unknown } | BodyError {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return bodyError(400, { error: 'Invalid JSON in request body', details: error.message });
  }
}

function isConnectionLoss(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_PREMATURE_CLOSE');
}

function bodyError(status: BodyError['status'], body: unknown): BodyError {
  return { status, body: JSON.stringify(body) };
}
