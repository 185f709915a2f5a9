/** What is told about shapes: from a request to a question for the api. No cache may keep an answer. */
import type { Api } from '../api/api.ts';
import type { ToldAnswer } from '../api/explain/told-answer.ts';
import { isRefusal, type Refusal } from '../api/refusal.ts';
import type { RawParameters } from '../api/shape-parameters.ts';
import { abortSignalOf } from '../base/stop-signal.ts';
import type { Exchange } from './exchange.ts';
import { JSON_TYPE } from './media-types.ts';
import { queryParameters } from './query-parameters.ts';
import { cacheHeaders, refusalHeaders } from './response-headers.ts';
import type { HttpAnswer } from './send-response.ts';

export function readTransaction(api: Api, exchange: Exchange): Promise<HttpAnswer> {
  return admitted(api, exchange, (parameters) => api.readTransaction(exchange.target.named, parameters, abortSignalOf(exchange.signal)));
}

export function explainShape(api: Api, exchange: Exchange): Promise<HttpAnswer> {
  return admitted(api, exchange, (parameters) => api.explainShape(parameters, abortSignalOf(exchange.signal)));
}

/** It counts among the requests for a shape that there is, or for one that is yet to be made. */
async function admitted(
  api: Api,
  exchange: Exchange,
  answer: (parameters: RawParameters) => Promise<ToldAnswer | Refusal>,
): Promise<HttpAnswer> {
  const query = queryParameters(exchange.query);
  if (isRefusal(query)) return answerOf(query);
  const { handle } = query.parameters;
  const permit = api.admit(typeof handle === 'string' ? handle : undefined);
  if (isRefusal(permit)) return answerOf(permit);
  exchange.whenOver(permit);
  return answerOf(await answer(query.parameters));
}

function answerOf(answer: ToldAnswer | Refusal): HttpAnswer {
  const { status, body } = answer;
  const headers = isRefusal(answer) ? refusalHeaders(answer, true) : ['content-type', JSON_TYPE, ...cacheHeaders('no-store', true)];
  return { status, headers, body: [Buffer.from(body)], coding: { fixed: undefined } };
}
