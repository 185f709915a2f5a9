/**
 * Putting an answer on the socket, no faster than the client reads: whatever it asks for, little of it waits in memory. A client
 * that stops reading is cut off; one that waits for a slow stream is not. When a stream fails after its first bytes, the
 * connection breaks off, and no client takes what it got for a whole answer.
 */
import { isOurFault } from '../base/our-fault.ts';
import { isInMemory, isLive, type Body, type LiveBody } from '../api/shape-response.ts';
import type { Deflater } from './deflater.ts';
import { CODED_BYTES_MIN, GzipStream, gzipPieces } from './gzip-body.ts';
import { codedHeaders, variedHeaders, type Headers } from './response-headers.ts';
import { PART_BYTES, ResponseSink, type SendingPorts } from './response-sink.ts';
import type { HttpResponse } from './server.ts';

/** What is answered, apart from how it is sent. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body | LiveBody;
  /** Whether the body may be coded. `fixed`, the name of one that never changes, so that it is coded once. */
  readonly coding?: { readonly fixed: string | undefined };
}

/** Who sends it. */
export interface Sending extends SendingPorts {
  /** Undefined for a client that takes no coding. */
  readonly deflater: Deflater | undefined;
}

/**
 * Resolves when the client has taken all of it, and when it has gone.
 *
 * @param isHead the same headers, and no body.
 * @throws what the stream threw; nothing was sent when `response.headersSent` is false.
 */
export async function sendResponse(response: HttpResponse, answer: HttpAnswer, isHead: boolean, sending: Sending): Promise<void> {
  const sink = new ResponseSink(response, sending);
  const { body } = answer;
  if (isLive(body)) await sendLive(response, sink, answer, body, isHead);
  else if (isInMemory(body)) return sendPieces(response, sink, await codedAnswer(answer, body, sending), isHead);
  else await sendStream(response, sink, answer, body, isHead, sending);
  await sink.end();
}

type InMemory = HttpAnswer & { readonly body: readonly Uint8Array[] };

async function codedAnswer(answer: HttpAnswer, body: readonly Uint8Array[], { deflater }: Sending): Promise<InMemory> {
  const { coding, headers } = answer;
  if (coding === undefined || sizeOf(body) < CODED_BYTES_MIN) return { ...answer, body };
  if (deflater === undefined) return { ...answer, headers: variedHeaders(headers), body };
  return { ...answer, headers: codedHeaders(headers), body: await gzipPieces(body, deflater, coding.fixed) };
}

async function sendPieces(response: HttpResponse, sink: ResponseSink, { status, headers, body }: InMemory, isHead: boolean): Promise<void> {
  const size = sizeOf(body);
  response.writeHead(status, mayHaveBody(status) ? [...headers, 'content-length', String(size)] : [...headers]);
  if (size > PART_BYTES && !isHead) {
    for (const piece of body) await sink.writePart(piece);
    return sink.end();
  }
  response.cork();
  if (!isHead) for (const piece of body) response.write(piece);
  const ended = sink.end();
  response.uncork();
  return ended;
}

async function sendStream(
  response: HttpResponse,
  sink: ResponseSink,
  { status, headers, coding }: HttpAnswer,
  body: AsyncIterable<Uint8Array>,
  isHead: boolean,
  { deflater }: Sending,
): Promise<void> {
  const coded = coding !== undefined && deflater !== undefined ? new GzipStream(body, deflater, coding.fixed) : undefined;
  const begin = (firstBytes: number): void => {
    if (response.headersSent) return;
    const isVaried = coding !== undefined && firstBytes >= CODED_BYTES_MIN;
    const told = coded?.isCoded === true ? codedHeaders(headers) : isVaried ? variedHeaders(headers) : headers;
    response.writeHead(status, isHead ? [...told, 'transfer-encoding', 'chunked'] : [...told]);
  };
  try {
    for await (const piece of coded ?? body) {
      if (response.destroyed) return;
      begin(piece.length);
      if (isHead) return;
      await sink.writePart(piece);
    }
  } catch (error) {
    // What was asked for a client is given up when that has gone: nobody is left whom it is refused.
    if (response.destroyed && error instanceof Error && !isOurFault(error)) return;
    throw error;
  }
  begin(0);
}

/** The client hears at once that it is connected, though nothing may come for long. */
async function sendLive(
  response: HttpResponse,
  sink: ResponseSink,
  { status, headers }: HttpAnswer,
  body: LiveBody,
  isHead: boolean,
): Promise<void> {
  if (isHead) return void response.writeHead(status, [...headers, 'transfer-encoding', 'chunked']);
  response.writeHead(status, [...headers]).flushHeaders();
  await body.flow(sink);
}

function mayHaveBody(status: number): boolean {
  return status !== 204 && status !== 304;
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((size, piece) => size + piece.length, 0);
}
