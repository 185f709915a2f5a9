/**
 * Putting an answer on the socket, no faster than the client reads: whatever it asks for, little of it waits in memory. A client
 * that stops reading is cut off; one that waits for a slow stream is not. When a stream fails after its first bytes, the
 * connection breaks off, and no client takes what it got for a whole answer.
 */
import { isOurFault } from '../base/our-fault.ts';
import { isInMemory, isLive, type Body, type LiveBody } from '../api/shape-response.ts';
import type { Headers } from './response-headers.ts';
import { PART_BYTES, ResponseSink, type SendingPorts } from './response-sink.ts';
import type { HttpResponse } from './server.ts';

/** What is answered, apart from how it is sent. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body | LiveBody;
}

/**
 * Resolves when the client has taken all of it, and when it has gone.
 *
 * @param isHead the same headers, and no body.
 * @throws what the stream threw; nothing was sent when `response.headersSent` is false.
 */
export async function sendResponse(response: HttpResponse, answer: HttpAnswer, isHead: boolean, ports: SendingPorts): Promise<void> {
  const { status, headers, body } = answer;
  const sink = new ResponseSink(response, ports);
  if (!isLive(body) && isInMemory(body)) return sendPieces(response, sink, status, headers, isHead ? [] : body, sizeOf(body));
  if (isHead) response.writeHead(status, [...headers, 'transfer-encoding', 'chunked']);
  else await (isLive(body) ? sendLive(response, sink, status, headers, body) : sendStream(response, sink, status, headers, body));
  await sink.end();
}

async function sendPieces(
  response: HttpResponse,
  sink: ResponseSink,
  status: number,
  headers: Headers,
  pieces: readonly Uint8Array[],
  size: number,
): Promise<void> {
  response.writeHead(status, mayHaveBody(status) ? [...headers, 'content-length', String(size)] : [...headers]);
  if (size > PART_BYTES) {
    for (const piece of pieces) await sink.writePart(piece);
    return sink.end();
  }
  response.cork();
  for (const piece of pieces) response.write(piece);
  const ended = sink.end();
  response.uncork();
  return ended;
}

async function sendStream(
  response: HttpResponse,
  sink: ResponseSink,
  status: number,
  headers: Headers,
  body: AsyncIterable<Uint8Array>,
): Promise<void> {
  try {
    for await (const piece of body) {
      if (response.destroyed) return;
      if (!response.headersSent) response.writeHead(status, [...headers]);
      await sink.writePart(piece);
    }
  } catch (error) {
    // What was asked for a client is given up when that has gone: nobody is left whom it is refused.
    if (response.destroyed && error instanceof Error && !isOurFault(error)) return;
    throw error;
  }
  if (!response.headersSent) response.writeHead(status, [...headers]);
}

/** The client hears at once that it is connected, though nothing may come for long. */
async function sendLive(response: HttpResponse, sink: ResponseSink, status: number, headers: Headers, body: LiveBody): Promise<void> {
  response.writeHead(status, [...headers]).flushHeaders();
  await body.flow(sink);
}

function mayHaveBody(status: number): boolean {
  return status !== 204 && status !== 304;
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((size, piece) => size + piece.length, 0);
}
