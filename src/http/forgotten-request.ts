/**
 * ForgottenRequest: what Node holds of a request for as long as it is not answered, its address and each of its headers, is as large as all
 * else together, and one that waits may do so for minutes. Of the headers its answer needs two.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { takesGzip } from './accept-encoding.ts';
import type { HttpRequest } from './peer.ts';

const NO_HEADERS: IncomingHttpHeaders = {};
const NOTHING: string[] = [];

/** Nobody looks at it again, but to say who asks and whether he takes gzip. Of another kind of request everything stays. */
export function forgetRequest(request: HttpRequest): void {
  if (!isOfNode(request)) return;
  const { origin, 'accept-encoding': codings } = request.headers;
  request.headers = origin === undefined && !takesGzip(codings) ? NO_HEADERS : neededOf(origin, codings);
  request.rawHeaders = NOTHING;
  request.url = '';
}

function isOfNode(request: HttpRequest | IncomingMessage): request is IncomingMessage {
  return 'rawHeaders' in request;
}

function neededOf(origin: string | undefined, codings: string | undefined): IncomingHttpHeaders {
  return { ...(origin === undefined ? {} : { origin }), ...(takesGzip(codings) ? { 'accept-encoding': 'gzip' } : {}) };
}
