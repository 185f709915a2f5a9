/**
 * RequestBacklog: the requests that a process cannot answer in its present state, in the order in which they came, as
 * its table. When it can, it takes the next one, answers it, and takes the next.
 *
 * A request that was postponed instead would be looked at again after each change of state: where many callers wait and
 * the state changes often, the cost is the product of the two.
 */
import { invariant } from '../base/invariant.ts';
import { Ring } from '../base/ring.ts';
import type { Message, Table } from '../otp/process.ts';

/** `next` is answered by the request itself; by nothing when none is left. */
export type RequestBacklogChange = { readonly keep: Message } | 'next';

/** As many as a mailbox may hold. */
const REQUESTS_MAX = 100_000;

export class RequestBacklog implements Table<RequestBacklogChange> {
  /** Made for the first, and gone with the last: most processes have nobody wait for nearly all of their lives. */
  private requests: Ring<Message> | undefined;

  apply(change: RequestBacklogChange): Message | undefined {
    if (change === 'next') return this.next();
    this.requests ??= new Ring();
    invariant(this.requests.length < REQUESTS_MAX, `no more than ${REQUESTS_MAX} requests wait for one process`);
    this.requests.push(change.keep);
    return undefined;
  }

  clone(): RequestBacklog {
    const copy = new RequestBacklog();
    for (const request of this.requests ?? []) copy.apply({ keep: request });
    return copy;
  }

  key(): string {
    return JSON.stringify([...(this.requests ?? [])]);
  }

  private next(): Message | undefined {
    const request = this.requests?.shift();
    if (this.requests?.length === 0) this.requests = undefined;
    return request;
  }
}

/** Parameters of the effect `apply`. */
export function keep(table: string): (args: { event: Message }) => { table: string; change: RequestBacklogChange } {
  return ({ event }) => ({ table, change: { keep: event } });
}

/** Likewise. */
export function next(table: string): { table: string; change: RequestBacklogChange } {
  return { table, change: 'next' };
}
