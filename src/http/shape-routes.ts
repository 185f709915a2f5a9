/** The shape endpoint: from a request to a question for the api, and from its answer to what is sent. */
import type { Api } from '../api/api.ts';
import { isRefusal } from '../api/refusal.ts';
import type { ShapeResponse } from '../api/shape-response.ts';
import { readJsonObject, type BodyError } from './request-body.ts';
import { mergedParameters, queryParameters } from './request-parameters.ts';
import { cacheHeaders, JSON_TYPE, logHeaders, refusalHeaders } from './response-headers.ts';
import type { Answer } from './send-response.ts';
import type { HttpRequest } from './server.ts';

/** One request, while it is served. */
export interface Exchange {
  readonly api: Api;
  readonly request: HttpRequest;
  readonly query: string;
  /** Aborted when the client has gone, or when the server closes. */
  readonly signal: AbortSignal;
  /** Calls `release` once, when the last byte of the answer is gone or nobody wants it any more. */
  readonly whenOver: (release: () => void) => void;
}

const NO_BODY = { json: {} };

/** A read is admitted before anything of it is parsed. @returns undefined when there is nobody to answer. */
export async function readShape(exchange: Exchange): Promise<Answer | undefined> {
  const { api, request, query, signal, whenOver } = exchange;
  const isCacheable = request.method !== 'POST';
  const parameters = queryParameters(query);
  const permit = api.admit(textOf(parameters['handle']));
  if (isRefusal(permit)) return answerOf(permit, isCacheable);
  whenOver(() => permit.release());
  const body = isCacheable ? NO_BODY : await readJsonObject(request);
  if ('status' in body) return bodyRefused(body);
  const merged = mergedParameters(parameters, body.json);
  const ifNoneMatch = isCacheable ? request.headers['if-none-match'] : undefined;
  return answerOf(await api.readShape({ parameters: merged, ifNoneMatch, permit, signal }), isCacheable);
}

export async function deleteShape({ api, query }: Exchange): Promise<Answer | undefined> {
  return answerOf(await api.deleteShape(queryParameters(query)), false);
}

/** @param isCacheable false for verbs whose answers no cache may keep. */
function answerOf(response: ShapeResponse, isCacheable: boolean): Answer | undefined {
  switch (response.kind) {
    case 'log':
      return { status: response.status, headers: logHeaders(response, isCacheable), body: response.body };
    case 'refusal':
      return { status: response.status, headers: refusalHeaders(response, isCacheable), body: [Buffer.from(response.body)] };
    case 'deleted':
      return { status: response.status, headers: cacheHeaders('no-store', false), body: [] };
    case 'abandoned':
      return undefined;
  }
}

function bodyRefused({ status, body }: BodyError): Answer {
  return { status, headers: ['content-type', JSON_TYPE, ...cacheHeaders('no-store', false)], body: [Buffer.from(body)] };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
