/**
 * Reads the shape of all todos for a page. Table and columns are fixed here, and the secret is added here; from the client comes how far
 * it is, and nothing else: not even a filter, which it could leave out.
 *
 * Were somebody to see only a part of the rows, it would be fixed likewise (`where`, `params`), and `cache-control` be `private`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface ServiceAddress {
  /** `http://host:port` of Armature. */
  readonly serviceUrl: string;
  readonly secret: string | undefined;
}

const FIXED = { table: 'todos', columns: 'id,title,done,created_at' };
const FROM_THE_CLIENT = ['offset', 'handle', 'live', 'live_sse', 'cursor', 'log', 'expired_handle', 'cache-buster'];
/** Of one connection, not of the answer; `fetch` has unpacked the body; and that pages of anybody may read it is for this server to say. */
const NOT_PASSED_ON = /^(connection|keep-alive|transfer-encoding|content-encoding|content-length|access-control-.*)$/;

export async function proxyShape(service: ServiceAddress, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end();
  const left = new AbortController();
  response.once('close', () => left.abort());
  const answer = await ask(service, request.url ?? '', left.signal);
  if (answer === undefined) return void response.writeHead(502, { 'retry-after': '1' }).end();
  response.writeHead(answer.status, headersOf(answer));
  response.flushHeaders(); // An event stream begins long before its first event.
  if (answer.body === null) return void response.end();
  await pipeline(Readable.fromWeb(answer.body), response).catch(() => response.destroy()); // One side has left: so does the other.
}

/** @returns undefined where the service cannot be reached, or the client has left. */
async function ask({ serviceUrl, secret }: ServiceAddress, asked: string, signal: AbortSignal): Promise<Response | undefined> {
  const url = new URL('/v1/shape', serviceUrl);
  url.search = new URLSearchParams([...told(asked), ...Object.entries(FIXED)]).toString();
  const headers = secret === undefined ? undefined : { authorization: `Bearer ${secret}` };
  return await fetch(url, { signal, ...(headers && { headers }) }).catch(() => undefined);
}

function told(asked: string): [string, string][] {
  return [...new URL(asked, 'http://app').searchParams].filter(([name]) => FROM_THE_CLIENT.includes(name));
}

function headersOf(answer: Response): Record<string, string> {
  return Object.fromEntries([...answer.headers].filter(([name]) => !NOT_PASSED_ON.test(name)));
}
