/**
 * Bare `node:http`, which has what it says in memory and asks nobody for it.
 *
 *   GET /bytes/N   N bytes of JSON, in blocks
 *   GET /same      what `{ same }` was told, with its headers
 *   GET /v1/shape  waits for `{ answer }`, and says that; a stream (`live_sse`) has the headers of `{ headers }`, and is told each answer
 *
 * Told `{ until: N }` it says so as soon as N wait.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const BLOCK = Buffer.alloc(256 * 1024, '{"key":"\\"public\\".\\"rows\\"/\\"1\\"","value":{"id":"1"}},');

interface Told {
  /** Sent as they are, name and value in turn. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** How many must wait until somebody is told of it. */
let awaited = 0;
let same: Told = { headers: [], body: '' };
let streamHeaders: readonly string[] = [];
const waiting: ServerResponse[] = [];
const streams: ServerResponse[] = [];

const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => respond(request, response));
server.listen(0, '127.0.0.1', 4096, () => process.send?.({ ready: 1, port: (server.address() as AddressInfo).port }));

process.on('message', (message: { same?: string; answer?: string; headers?: readonly string[]; until?: number }) => {
  const { headers = [], until } = message;
  if (message.answer !== undefined) return tellAll({ headers, body: message.answer });
  if (until !== undefined) return sayWhen(until);
  if (message.same !== undefined) same = { headers, body: message.same };
  else streamHeaders = headers;
  process.send?.({ noted: 1 });
});

function respond(request: IncomingMessage, response: ServerResponse): void {
  const { url = '' } = request;
  if (url.startsWith('/bytes/')) void sendBytes(response, Number(url.slice('/bytes/'.length)));
  else if (url === '/same') send(response, same);
  else if (url.includes('live_sse=true')) openStream(response);
  else waiting.push(response);
  sayWhen(awaited);
}

/** `{ waiting }` when so many wait; nothing for 0. */
function sayWhen(count: number): void {
  const isReached = count > 0 && Math.max(waiting.length, streams.length) >= count;
  awaited = isReached ? 0 : count;
  if (isReached) process.send?.({ waiting: count });
}

function send(response: ServerResponse, { headers, body }: Told): void {
  response.writeHead(200, [...headers]).end(body);
}

function openStream(response: ServerResponse): void {
  streams.push(response);
  response.on('close', () => void streams.splice(streams.indexOf(response), 1));
  response.writeHead(200, [...streamHeaders]);
  response.flushHeaders();
}

function tellAll(told: Told): void {
  for (const response of waiting.splice(0)) send(response, told);
  for (const response of streams) response.write(told.body);
}

async function sendBytes(response: ServerResponse, bytes: number): Promise<void> {
  response.writeHead(200, { 'content-length': bytes });
  for (let left = bytes; left > 0; left -= BLOCK.length) {
    const isTaken = response.write(left >= BLOCK.length ? BLOCK : BLOCK.subarray(0, left));
    if (!isTaken) await new Promise((drained) => response.once('drain', drained));
  }
  response.end();
}
