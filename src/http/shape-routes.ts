/** The shape endpoint: from a request to a question for the api, and from its answer to what is sent. */
import type { Api } from '../api/api.ts';
import { isRefusal } from '../api/refusal.ts';
import type { ShapeBounds } from '../api/shape-bounds.ts';
import { type LogAnswer, type ShapeResponse } from '../api/shape-response.ts';
import type { BodyIntake } from './bodies/body-intake.ts';
import type { BodyRefusal } from './bodies/body-refusal.ts';
import type { Exchange } from './exchange.ts';
import { mergedParameters, parseJsonObject } from './bodies/json-body.ts';
import { queryParameters } from './query-parameters.ts';
import { JSON_TYPE } from './media-types.ts';
import { cacheHeaders, logHeaders, refusalHeaders, subsetHeaders } from './response-headers.ts';
import type { HttpAnswer } from './send-response.ts';

const NO_BODY = { bytes: Buffer.alloc(0) };

/**
 * A read is admitted when its body has arrived and before anything of it is parsed. A permit that was held while a body
 * arrives would be one that other requests lack.
 *
 * @param bounds what is fixed of it, whatever it says.
 * @returns undefined when there is nobody to answer.
 */
export async function readShape(
  api: Api,
  bodies: BodyIntake,
  exchange: Exchange,
  bounds: ShapeBounds | undefined,
): Promise<HttpAnswer | undefined> {
  const { request, signal } = exchange;
  const isCacheable = request.method !== 'POST';
  const query = queryParameters(exchange.query);
  if (isRefusal(query)) return answerOf(query, isCacheable);
  const body = isCacheable ? NO_BODY : await bodies.receive(exchange);
  if (body === undefined) return undefined;
  if ('status' in body) return bodyRefused(body);
  const permit = api.admit(textOf(query.parameters['handle']));
  if (isRefusal(permit)) return answerOf(permit, isCacheable);
  exchange.whenOver(() => permit.release());
  const parsed = parseJsonObject(body.bytes);
  if ('status' in parsed) return bodyRefused(parsed);
  const parameters = body === NO_BODY ? query.parameters : mergedParameters(query.parameters, parsed.json);
  const ifNoneMatch = isCacheable ? request.headers['if-none-match'] : undefined;
  return answerOf(await api.readShape({ parameters, ifNoneMatch, permit, bounds, signal }), isCacheable);
}

export async function deleteShape(api: Api, exchange: Exchange): Promise<HttpAnswer | undefined> {
  const query = queryParameters(exchange.query);
  return answerOf(isRefusal(query) ? query : await api.deleteShape(query.parameters), false);
}

/** @param isCacheable false for verbs whose answers no cache may keep. */
function answerOf(response: ShapeResponse, isCacheable: boolean): HttpAnswer | undefined {
  switch (response.kind) {
    case 'log':
      return {
        status: response.status,
        headers: logHeaders(response, isCacheable),
        body: response.body,
        coding: { fixed: fixedName(response) },
      };
    case 'subset':
      return {
        status: response.status,
        headers: subsetHeaders(response),
        body: response.body,
        coding: { fixed: undefined },
      };
    case 'refusal':
      return { status: response.status, headers: refusalHeaders(response, isCacheable), body: [Buffer.from(response.body)] };
    case 'deleted':
      return { status: response.status, headers: cacheHeaders('no-store', false), body: [] };
    case 'abandoned':
      return undefined;
  }
}

/** What lies between two offsets of a log never changes; an up-to-date behind it does. */
function fixedName({ etag, upToDate, hasData }: LogAnswer): string | undefined {
  return upToDate || !hasData ? undefined : etag;
}

function bodyRefused({ status, body, closes, retryAfterSeconds }: BodyRefusal): HttpAnswer {
  const headers = [
    'content-type', JSON_TYPE,
    ...cacheHeaders('no-store', false),
    ...(closes ? ['connection', 'close'] : []),
    ...(retryAfterSeconds === undefined ? [] : ['retry-after', String(retryAfterSeconds)]),
  ];
  return { status, headers, body: [Buffer.from(body)] };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
