/** RequestAnswer: what a request was told in the end. */
import type { Handle } from '../../../src/model/shape.ts';
import type { Local } from '../checker/local.ts';

export interface RequestAnswer {
  readonly status: number;
  readonly handle?: Handle;
  /** The handle had been condemned before the request began. */
  readonly wasGone?: true;
}

/** Undefined while it has none, and of one whose client has gone. */
export function answerOf(requester: Local): RequestAnswer | undefined {
  if (requester.status !== 'dead' || typeof requester.reason !== 'object' || !('shutdown' in requester.reason)) return undefined;
  return requester.reason.shutdown as RequestAnswer;
}
