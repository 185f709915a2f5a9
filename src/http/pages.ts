/**
 * Pages: what is served beside the api, on the same socket. The server knows nothing of them but that they answer: who may see a
 * page, and what is on it, is theirs to decide.
 */
import type { PageAnswer, PageRequest } from '../api/page.ts';
import { abortSignalOf } from '../base/stop-signal.ts';
import type { Exchange } from './exchange.ts';
import type { HttpAnswer } from './send-response.ts';

export interface Pages {
  /** @returns undefined when no page is there: the server answers as it would have without them. */
  answer(request: PageRequest): PageAnswer | undefined | Promise<PageAnswer | undefined>;
}

/** Asked for what the api does not serve, and for the root. */
export async function pageAnswer(pages: Pages | undefined, exchange: Exchange): Promise<HttpAnswer | undefined> {
  if (pages === undefined) return undefined;
  const { request, target, query } = exchange;
  const { method = '', headers } = request;
  const answer = await pages.answer({ method, path: target.path, query, headers, signal: abortSignalOf(exchange.signal) });
  if (answer === undefined) return undefined;
  // What stands at the root is for everybody: it stays an answer of the api (clause 2.1), whatever is written there.
  return target.resource === 'root' ? answer : { ...answer, isPage: true };
}
