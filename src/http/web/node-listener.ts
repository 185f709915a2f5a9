/**
 * NodeListener: a handler for the web's `Request`, behind a server of Node's own: `createServer(nodeListener(handler))`, a route of
 * Express, a hijacked reply of Fastify. A client that goes away aborts its request.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { JSON_TYPE } from '../media-types.ts';
import type { WebRequest, WebResponse } from './web-types.ts';

/** Of a request of Node's server, what a listener needs to be told apart by its type. */
export interface NodeRequest {
  /** As Node has it. */
  readonly method?: string | undefined;
  /** The path with its query. */
  readonly url?: string | undefined;
  /** Names and values by turns, as they came. */
  readonly rawHeaders: readonly string[];
}

/** Of a response of Node's server, likewise. */
export interface NodeResponse {
  /** That of HTTP. */
  readonly statusCode: number;
  /** An answer has begun. */
  readonly headersSent: boolean;
}

/**
 * Calls the handler, and sends what it answers. When the handler fails, the answer is `500`, or is broken off. It takes the requests and
 * responses of Node's own server and no others; its type needs none of Node's types.
 */
export type NodeListener = {
  /** Answers one request; it does not wait for that. */
  listen(request: NodeRequest, response: NodeResponse): void;
}['listen'];

/** What no `Request` may be. */
const NEVER = new Set(['TRACE', 'TRACK', 'CONNECT']);
/** Of a body that nobody wanted, so much is read and dropped, so that its connection can go on; behind that it is closed. */
const DROPPED_BYTES_MAX = 1024 * 1024;
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * Puts a handler for the web's `Request` behind a server of Node's own.
 *
 * @param handler for requests of the web.
 * @param failed told of what the handler throws, and of an answer that breaks off. By default nobody is: a handler of the service tells the
 * service's log by itself.
 */
export function nodeListener(
  handler: (request: WebRequest) => Promise<WebResponse>,
  failed: (error: unknown) => void = () => {},
): NodeListener {
  return (request: IncomingMessage, response: ServerResponse) => {
    serve(handler, request, response).catch(failed);
  };
}

async function serve(
  handler: (request: WebRequest) => Promise<WebResponse>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (NEVER.has(request.method ?? '')) return refuse(response, 405, 'Method not allowed');
  const url = urlOf(request);
  if (url === undefined) return refuse(response, 400, 'Malformed request');
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const asked = webRequest(request, url, gone.signal);
  try {
    await send(await handler(asked), request, response);
  } catch (error) {
    if (gone.signal.aborted) return; // There is nobody left to fail.
    if (response.headersSent) response.destroy();
    else refuse(response, 500, 'Internal server error');
    throw error;
  } finally {
    dropRest(asked, request.socket).catch(() => {}); // Its client has gone in the middle of it.
  }
}

/** A browser that may not read why would take it for a network that fails, and try for ever. */
function refuse(response: ServerResponse, status: number, error: string): void {
  const uncached = { 'cache-control': 'no-store', 'surrogate-control': 'no-store' };
  const headers = { 'content-type': JSON_TYPE, ...uncached, 'access-control-allow-origin': '*' };
  response.writeHead(status, headers).end(JSON.stringify({ error }));
}

/** Of a body that nobody has begun to read: Node takes it for read, and does not drop it. Its server bounds how long that takes. */
async function dropRest({ body }: WebRequest, connection: Socket): Promise<void> {
  if (body === null || body.locked) return;
  let dropped = 0;
  for await (const piece of body) {
    dropped += piece.length;
    if (dropped > DROPPED_BYTES_MAX) return void connection.destroy();
  }
}

/** Undefined where it is none of a request: the host may be anything that a client writes. */
function urlOf(request: IncomingMessage): URL | undefined {
  const origin = `http://${request.headers.host ?? ''}`;
  const base = URL.canParse(origin) ? origin : 'http://localhost';
  if (!URL.canParse(pathOf(request), base)) return undefined;
  const url = new URL(pathOf(request), base);
  return url.username === '' && url.password === '' ? url : undefined;
}

function webRequest(request: IncomingMessage, url: URL, signal: AbortSignal): WebRequest {
  const { method = 'GET', rawHeaders } = request;
  const pairs = rawHeaders.flatMap((name, index): [string, string][] => (index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? '']] : []));
  const body = WITH_BODY.has(method) ? (Readable.toWeb(request)) : null;
  return new Request(url, {
    method, headers: pairs.filter(([name]) => !name.startsWith(':')), body, signal, ...(body === null ? {} : { duplex: 'half' as const }),
  });
}

/** Express takes away from `url` what a router has matched. A path that begins with two slashes is no host. */
function pathOf(request: IncomingMessage): string {
  const url = 'originalUrl' in request && typeof request.originalUrl === 'string' ? request.originalUrl : (request.url ?? '/');
  return url.startsWith('/') ? url.replace(/^\/+/, '/') : url;
}

async function send(answer: WebResponse, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(answer.status, [...answer.headers].flat());
  if (answer.body === null || request.method === 'HEAD') {
    await answer.body?.cancel();
    response.end();
    return;
  }
  if (!answer.headers.has('content-length')) response.flushHeaders(); // In a stream nothing may come for long.
  await pipeline(Readable.fromWeb(answer.body), response);
}
