/**
 * Putting an answer on the socket, no faster than the client reads: whatever it asks for, little of it waits in memory. A client
 * that stops reading is cut off; one that waits for a slow stream is not. When a stream fails after its first bytes, the
 * connection breaks off, and no client takes what it got for a whole answer.
 */
import type { Clock } from '../base/clock.ts';
import { giveBack } from '../base/lent-bytes.ts';
import type { NowOrLater } from '../base/now-or-later.ts';
import { isOurFault } from '../base/our-fault.ts';
import { isInMemory, type Body, type LiveBody } from '../api/shape-response.ts';
import type { Deflater, Taker } from './deflater.ts';
import { firstPart } from './first-part.ts';
import { CODED_BYTES_MIN, gzipPieces, gzipStream, type Coder } from './gzip-body.ts';
import { codedHeaders, variedHeaders, type Headers } from './response-headers.ts';
import { PART_BYTES, ResponseSink, type SendingPorts } from './response-sink.ts';
import type { HttpResponse } from './peer.ts';
import { forgetSentHeader } from './sent-header.ts';

/** What is answered, apart from how it is sent. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body | LiveBody;
  /**
   * Whether the body may be coded. `fixed`, the name of one that never changes, so that it is coded once.
   */
  readonly coding?: { readonly fixed: string | undefined } | undefined;
  /** It is no answer of the api, and brings its own headers. */
  readonly isPage?: true;
}

type WholeAnswer = HttpAnswer & { readonly body: Body };

/** Who sends it. */
export interface Sending extends SendingPorts {
  /** Undefined for a client that takes no coding. */
  readonly deflater: Deflater | undefined;
}

/**
 * Resolves when the client has taken all of it, and when it has gone. What is live is sent by `sendLive`.
 *
 * @param isHead the same headers, and no body.
 * @throws what the stream threw; nothing was sent when `response.headersSent` is false.
 */
export function sendResponse(response: HttpResponse, answer: WholeAnswer, isHead: boolean, sending: Sending): NowOrLater<void> {
  const sink = new ResponseSink(response, sending);
  const { body } = answer;
  if (!isInMemory(body)) {
    return sendStream(response, sink, (isLong) => toldTo(sink, answer, isLong, sending.deflater), { body, isHead, clock: sending.clock });
  }
  const told = toldTo(sink, answer, sizeOf(body) >= CODED_BYTES_MIN, sending.deflater);
  if (isHead || told.coder === undefined) return sendPieces(response, sink, told, body, isHead);
  return gzipPieces(body, told.coder).then((coded) => sendPieces(response, sink, told, coded, isHead));
}

/** How an answer is told to one client. */
interface Told {
  readonly status: number;
  readonly headers: Headers;
  /** Of a body that goes coded. */
  readonly coder?: Coder;
}

/** A body that is small is the same for all. The answer without a body stands for either. */
function toldTo(client: Taker, { status, headers, coding }: HttpAnswer, isLong: boolean, deflater: Deflater | undefined): Told {
  if (coding === undefined || (mayHaveBody(status) && !isLong)) return { status, headers };
  if (deflater === undefined || !mayHaveBody(status)) return { status, headers: variedHeaders(headers) };
  return { status, headers: codedHeaders(headers), coder: { deflater, key: coding.fixed, client } };
}

/** To HEAD the length of a coded body is not told: it would have to be made. */
function sendPieces(
  response: HttpResponse,
  sink: ResponseSink,
  { status, headers, coder }: Told,
  body: readonly Uint8Array[],
  isHead: boolean,
): NowOrLater<void> {
  const size = sizeOf(body);
  const hasLength = mayHaveBody(status) && !(isHead && coder !== undefined);
  response.writeHead(status, hasLength ? [...headers, 'content-length', String(size)] : [...headers]);
  if (size > PART_BYTES && !isHead) return sendParts(sink, body);
  if (isHead || body.length < 2) return sink.end(isHead ? undefined : body[0]);
  response.cork();
  for (const piece of body) response.write(piece);
  response.end();
  response.uncork();
  return sink.ended();
}

async function sendParts(sink: ResponseSink, body: readonly Uint8Array[]): Promise<void> {
  for (const piece of body) await sink.writePart(piece);
  await sink.end();
}

async function sendStream(
  response: HttpResponse,
  sink: ResponseSink,
  tell: (isLong: boolean) => Told,
  { body, isHead, clock }: { readonly body: AsyncIterable<Uint8Array>; readonly isHead: boolean; readonly clock: Clock },
): Promise<void> {
  const begin = (isLong: boolean): Coder | undefined => {
    const { status, headers, coder } = tell(isLong);
    if (!response.destroyed) response.writeHead(status, isHead ? [...headers, 'transfer-encoding', 'chunked'] : [...headers]);
    return coder;
  };
  try {
    const first = await firstPart(body, CODED_BYTES_MIN, clock);
    if (isHead) {
      begin(first.isLong);
      first.leave();
    } else {
      for await (const piece of gzipStream(first.body, () => begin(first.isLong))) {
        if (response.destroyed) break;
        await sink.writePart(piece);
        if (!response.destroyed && sink.heldBytes === 0) giveBack(piece); // The system has it, and nobody else: a stream is read once.
      }
    }
    await sink.end();
  } catch (error) {
    // What was asked for a client is given up when that has gone: nobody is left whom it is refused.
    if (response.destroyed && error instanceof Error && !isOurFault(error)) return;
    throw error;
  }
}

/**
 * The client hears at once that it is connected, though nothing may come for long. Nobody waits for the end of it: there may be thousands.
 *
 * @param fail told of what the body fails with; what it had sent is sent.
 */
export function sendLive(
  response: HttpResponse,
  { status, headers }: Pick<HttpAnswer, 'status' | 'headers'>,
  body: LiveBody,
  isHead: boolean,
  ports: SendingPorts,
  fail: (error: unknown) => void,
): void {
  const sink = new ResponseSink(response, ports);
  if (isHead) {
    response.writeHead(status, [...headers, 'transfer-encoding', 'chunked']);
    void sink.end();
    return;
  }
  response.writeHead(status, [...headers]).flushHeaders();
  forgetSentHeader(response);
  body.flow(sink, (failure) => (failure === undefined ? void sink.end() : fail(failure.error)));
}

function mayHaveBody(status: number): boolean {
  return status !== 204 && status !== 304;
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((size, piece) => size + piece.length, 0);
}
