/** The headers of the wire, as the flat arrays that `writeHead` sends fastest. */
import { JSON_TYPE } from './media-types.ts';
import type { HttpRequest } from './peer.ts';
import type { Refusal } from '../api/refusal.ts';
import type { LogAnswer, SubsetAnswer } from '../api/shape-response.ts';
import type { Resource } from './routes.ts';

/** Name, value, name, value… */
export type Headers = readonly string[];

/** Proxies that gather answers before they pass them on, as nginx does, are asked not to. */
const EVENT_STREAM_HEADERS = ['content-type', 'text/event-stream', 'x-accel-buffering', 'no'];

const EXPOSED =
  'electric-cursor,electric-handle,electric-has-data,electric-offset,electric-schema,electric-up-to-date,' +
  'electric-internal-known-error,electric-snapshot,retry-after';
const SHAPE_METHODS = 'GET, POST, HEAD, DELETE, OPTIONS';
const TOLD_METHODS = 'GET, HEAD, OPTIONS';
const OTHER_METHODS = 'GET, HEAD';
const METHODS: Readonly<Partial<Record<Resource, string>>> = {
  shape: SHAPE_METHODS, transaction: TOLD_METHODS, explain: TOLD_METHODS,
};
const REQUEST_ID_LENGTH = { least: 20, most: 200 };
/** What a browser may send besides the simple headers. */
const ALLOWED_REQUEST_HEADERS = ['if-none-match', 'traceparent', 'content-type', 'authorization'];

/** What every response carries. */
export function commonHeaders({ headers: { origin } }: HttpRequest, resource: Resource, server: string, requestId: string): Headers {
  const common = [
    'electric-server', server,
    'x-request-id', requestId,
    'access-control-allow-origin', origin ?? '*',
    'access-control-expose-headers', EXPOSED,
    'access-control-allow-methods', METHODS[resource] ?? OTHER_METHODS,
  ];
  if (origin !== undefined) common.push('vary', 'origin'); // It is good for that one alone, and a cache that keeps it must know.
  return common;
}

/** A page is for those alone who are led to it: no other site's script may read it. */
export function pageHeaders(requestId: string): Headers {
  return ['x-request-id', requestId];
}

/** The id that a request brings, if it is of a decent length. */
export function givenRequestId(request: HttpRequest): string | undefined {
  const given = request.headers['x-request-id'];
  if (typeof given !== 'string') return undefined;
  return given.length >= REQUEST_ID_LENGTH.least && given.length <= REQUEST_ID_LENGTH.most ? given : undefined;
}

/** @param isCacheable false for verbs whose answers no cache may keep, whatever they are. */
export function logHeaders(answer: LogAnswer, isCacheable: boolean): Headers {
  const { form, handle, offset, schema, cursor, upToDate, hasData, etag, cacheControl } = answer;
  return [
    ...(form === 'json' ? ['content-type', JSON_TYPE] : EVENT_STREAM_HEADERS),
    'cache-control', isCacheable ? cacheControl : 'no-cache',
    'etag', etag,
    'electric-handle', handle,
    'electric-offset', offset,
    'electric-has-data', String(hasData),
    ...(upToDate ? ['electric-up-to-date', ''] : []),
    ...(cursor === undefined ? [] : ['electric-cursor', cursor]),
    ...(schema === undefined ? [] : ['electric-schema', schema]),
  ];
}

/** It says that it is up to date, by which older clients know that nothing follows it. */
export function subsetHeaders({ handle, offset, schema }: SubsetAnswer): Headers {
  return [
    'content-type', JSON_TYPE,
    ...cacheHeaders('no-cache', false),
    'electric-snapshot', 'true',
    'electric-handle', handle,
    'electric-offset', offset,
    'electric-up-to-date', '',
    ...(schema === undefined ? [] : ['electric-schema', schema]),
  ];
}

export function refusalHeaders(refusal: Refusal, isCacheable: boolean): Headers {
  const { cacheControl, handle, retryAfterSeconds, isKnownError } = refusal;
  return [
    'content-type', JSON_TYPE,
    ...cacheHeaders(cacheControl, isCacheable),
    ...(handle === undefined ? [] : ['electric-handle', handle]),
    ...(retryAfterSeconds === undefined ? [] : ['retry-after', String(retryAfterSeconds)]),
    ...(isKnownError === true ? ['electric-internal-known-error', 'true'] : []),
  ];
}

/** An error that no cache in front may keep either. */
export function cacheHeaders(cacheControl: string, isCacheable: boolean): Headers {
  if (!isCacheable) return ['cache-control', 'no-cache'];
  return cacheControl === 'no-store' ? ['cache-control', 'no-store', 'surrogate-control', 'no-store'] : ['cache-control', cacheControl];
}

/** Of an answer that is for one client alone. Its own cache may keep it, and asks each time whether it still may be shown. */
export function privateHeaders(headers: Headers): Headers {
  return headers.map((text, index) => {
    return index % 2 === 1 && headers[index - 1] === 'cache-control' && text !== 'no-store' ? 'private, no-cache' : text;
  });
}

/** Of a body that is coded for whoever takes it: its bytes are not those that others get, so its tag is a weak one. */
export function codedHeaders(headers: Headers): Headers {
  const weak = headers.map((text, index) => (index % 2 === 1 && headers[index - 1] === 'etag' ? `W/${text}` : text));
  return [...variedHeaders(weak), 'content-encoding', 'gzip'];
}

export function variedHeaders(headers: Headers): Headers {
  return [...headers, 'vary', 'accept-encoding'];
}

/** The answer to a preflight. */
export function preflightHeaders(request: HttpRequest): Headers {
  const names = (request.headers['access-control-request-headers'] ?? '').split(',').map((name) => name.trim());
  const asked = new Map(names.map((name) => [name.toLowerCase(), name]));
  const allowed = ALLOWED_REQUEST_HEADERS.flatMap((name) => asked.get(name) ?? []);
  return ['access-control-max-age', '86400', ...(allowed.length > 0 ? ['access-control-allow-headers', allowed.join(', ')] : [])];
}
