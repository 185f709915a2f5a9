/**
 * Subscribers: the processes that follow another one, as its table. A `multicall` goes to all of them.
 *
 * Its owner monitors each one and takes it out when it has ended; how many are left comes back as an event, so that
 * nothing is sent when nobody listens.
 */
import type { Message, Pid, RecipientsTable } from '../otp/process.ts';

export type SubscribersChange = { readonly add: Pid } | { readonly remove: Pid };

export class Subscribers implements RecipientsTable<SubscribersChange> {
  /** Made for the first: most have none for all their lives. */
  private pids: Set<Pid> | undefined;

  apply(change: SubscribersChange): Message {
    if ('add' in change) (this.pids ??= new Set()).add(change.add);
    else this.pids?.delete(change.remove);
    return { type: 'subscribers.counted', count: this.pids?.size ?? 0 };
  }

  recipients(): Iterable<Pid> {
    return this.pids ?? [];
  }

  clone(): Subscribers {
    const copy = new Subscribers();
    if (this.pids !== undefined) copy.pids = new Set(this.pids);
    return copy;
  }

  key(): string {
    return JSON.stringify([...(this.pids ?? [])].sort());
  }
}
