/**
 * Putting an answer on the socket. A stream is pulled no faster than the client reads. A client that stops reading is cut
 * off; one that waits for a slow stream is not. When a stream fails after its first bytes, the connection breaks off, and
 * no client takes what it got for a whole answer.
 */
import { isOurFault } from '../base/our-fault.ts';
import { isLive, type Body, type LiveBody } from '../api/shape-response.ts';
import type { Headers } from './response-headers.ts';
import { ResponseSink, SEND_STALL_MS, untilDrained } from './response-sink.ts';
import type { HttpResponse } from './server.ts';

/** What is answered, apart from how it is sent. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body | LiveBody;
}

/**
 * @param isHead the same headers, and no body.
 * @throws what the stream threw; nothing was sent when `response.headersSent` is false.
 */
export async function sendResponse(response: HttpResponse, { status, headers, body }: HttpAnswer, isHead: boolean): Promise<void> {
  response.on('timeout', () => response.destroy());
  response.setTimeout(SEND_STALL_MS);
  if (isLive(body) || Symbol.asyncIterator in body) {
    if (isHead) response.writeHead(status, [...headers, 'transfer-encoding', 'chunked']).end();
    else await (isLive(body) ? sendLive(response, status, headers, body) : sendStream(response, status, headers, body));
  } else {
    sendPieces(response, status, headers, isHead ? [] : body, sizeOf(body));
  }
}

function sendPieces(response: HttpResponse, status: number, headers: Headers, pieces: readonly Uint8Array[], size: number): void {
  response.writeHead(status, mayHaveBody(status) ? [...headers, 'content-length', String(size)] : [...headers]);
  response.cork();
  for (const piece of pieces) response.write(piece);
  response.end();
  response.uncork();
}

async function sendStream(response: HttpResponse, status: number, headers: Headers, body: AsyncIterable<Uint8Array>): Promise<void> {
  response.setTimeout(0); // The stream's maker bounds this wait: a snapshot may take longer than a client.
  try {
    for await (const piece of body) {
      if (response.destroyed) return;
      if (!response.headersSent) response.writeHead(status, [...headers]);
      if (!response.write(piece)) await untilDrained(response);
    }
  } catch (error) {
    // What was asked for a client is given up when that has gone: nobody is left whom it is refused.
    if (response.destroyed && error instanceof Error && !isOurFault(error)) return;
    throw error;
  }
  if (!response.headersSent) response.writeHead(status, [...headers]);
  response.setTimeout(SEND_STALL_MS);
  response.end();
}

/** The client hears at once that it is connected, though nothing may come for long. */
async function sendLive(response: HttpResponse, status: number, headers: Headers, body: LiveBody): Promise<void> {
  response.setTimeout(0);
  response.writeHead(status, [...headers]).flushHeaders();
  await body.flow(new ResponseSink(response));
  response.setTimeout(SEND_STALL_MS);
  response.end();
}

function mayHaveBody(status: number): boolean {
  return status !== 204 && status !== 304;
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((size, piece) => size + piece.length, 0);
}
