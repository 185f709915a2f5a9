/** The shape endpoint: from a request to a question for the api, and from its answer to what is sent. */
import type { Api } from '../api/api.ts';
import type { Permit } from '../api/admission.ts';
import { isRefusal, type Refusal } from '../api/refusal.ts';
import type { ShapeBounds } from '../api/shape-bounds.ts';
import type { RawParameters } from '../api/shape-parameters.ts';
import { isInMemory, isLive, type LogAnswer, type ShapeResponse } from '../api/shape-response.ts';
import { WaitingPoll } from '../api/waiting-poll.ts';
import { andThen, type NowOrLater } from '../base/now-or-later.ts';
import type { BodyIntake } from './bodies/body-intake.ts';
import type { BodyRefusal } from './bodies/body-refusal.ts';
import type { Exchange } from './exchange.ts';
import { mergedParameters, parseJsonObject } from './bodies/json-body.ts';
import type { KnownQueries } from './known-queries.ts';
import { LaterAnswer } from './later-answer.ts';
import { queryParameters } from './query-parameters.ts';
import { JSON_TYPE } from './media-types.ts';
import { cacheHeaders, logHeaders, refusalHeaders, subsetHeaders } from './response-headers.ts';
import type { HttpAnswer } from './send-response.ts';

/** Where the parameters of a read come from. */
export interface ParameterSources {
  readonly bodies: BodyIntake;
  readonly queries: KnownQueries;
}

/**
 * A read is admitted when its body has arrived and before anything of it is parsed. A permit that was held while a body
 * arrives would be one that other requests lack.
 *
 * @param bounds what is fixed of it, whatever it says.
 * @returns undefined when there is nobody to answer.
 */
export function readShape(
  api: Api,
  { bodies, queries }: ParameterSources,
  exchange: Exchange,
  bounds: ShapeBounds | undefined,
): NowOrLater<HttpAnswer | LaterAnswer | undefined> {
  const { request, signal } = exchange;
  const isCacheable = request.method !== 'POST';
  const query = queries.take(exchange);
  if (isRefusal(query)) return answerOf(query, isCacheable);
  const { parameters } = query;
  if (!isCacheable) return readPosted(api, bodies, exchange, parameters, bounds);
  const permit = admitted(api, exchange, parameters);
  if (isRefusal(permit)) return answerOf(permit, true);
  const ifNoneMatch = request.headers['if-none-match'];
  const response = api.readOrWait({ parameters, ifNoneMatch, permit, bounds, signal });
  return response instanceof WaitingPoll ? new LaterAnswer(response, readAnswerOf) : andThen(response, readAnswerOf);
}

function readAnswerOf(response: ShapeResponse): HttpAnswer | undefined {
  return answerOf(response, true);
}

async function readPosted(
  api: Api,
  bodies: BodyIntake,
  exchange: Exchange,
  query: RawParameters,
  bounds: ShapeBounds | undefined,
): Promise<HttpAnswer | undefined> {
  const body = await bodies.receive(exchange);
  if (body === undefined) return undefined;
  if ('status' in body) return bodyRefused(body);
  const permit = admitted(api, exchange, query);
  if (isRefusal(permit)) return answerOf(permit, false);
  const parsed = parseJsonObject(body.bytes);
  if ('status' in parsed) return bodyRefused(parsed);
  const parameters = mergedParameters(query, parsed.json);
  return answerOf(await api.readShape({ parameters, ifNoneMatch: undefined, permit, bounds, signal: exchange.signal }), false);
}

/** The permit is given back at the end. */
function admitted(api: Api, exchange: Exchange, query: RawParameters): Permit | Refusal {
  const permit = api.admit(textOf(query['handle']));
  if (!isRefusal(permit)) exchange.whenOver(permit);
  return permit;
}

export async function deleteShape(api: Api, exchange: Exchange): Promise<HttpAnswer | undefined> {
  const query = queryParameters(exchange.query);
  return answerOf(isRefusal(query) ? query : await api.deleteShape(query.parameters), false);
}

/** @param isCacheable false for verbs whose answers no cache may keep. */
function answerOf(response: ShapeResponse, isCacheable: boolean): HttpAnswer | undefined {
  switch (response.kind) {
    case 'log':
      return isCacheable ? logAnswerOf(response) : newLogAnswer(response, false);
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

/** Of what is in memory and never changes, or is told to many at once: it may be given to the next one who asks. */
const toldAnswers = new WeakMap<LogAnswer, HttpAnswer>();

function logAnswerOf(answer: LogAnswer): HttpAnswer {
  const known = toldAnswers.get(answer);
  if (known !== undefined) return known;
  const told = newLogAnswer(answer, true);
  if (isForMany(answer) && !isLive(answer.body) && isInMemory(answer.body)) toldAnswers.set(answer, told);
  return told;
}

/** Of long-polls all are told the same that were woken together. */
function isForMany(answer: LogAnswer): boolean {
  return fixedName(answer) !== undefined || (answer.hasData && answer.cursor !== undefined);
}

function newLogAnswer(answer: LogAnswer, isCacheable: boolean): HttpAnswer {
  const { status, body } = answer;
  return { status, headers: logHeaders(answer, isCacheable), body, coding: { fixed: fixedName(answer) } };
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
