/**
 * Subscribers: the processes that follow another one, as its table. A `multicall` goes to all of them.
 *
 * Its owner monitors each one and takes it out when it has ended; how many are left comes back as an event, so that
 * nothing is sent when nobody listens.
 */
import { FewSet } from '../base/few-set.ts';
import type { Message, Pid, RecipientsTable } from '../otp/process.ts';

export type SubscribersChange = { readonly add: Pid } | { readonly remove: Pid };

export class Subscribers implements RecipientsTable<SubscribersChange> {
  private readonly pids = new FewSet<Pid>();

  apply(change: SubscribersChange): Message {
    if ('add' in change) this.pids.add(change.add);
    else this.pids.delete(change.remove);
    return { type: 'subscribers.counted', count: this.pids.size };
  }

  recipients(): Iterable<Pid> {
    return this.pids;
  }

  clone(): Subscribers {
    const copy = new Subscribers();
    for (const pid of this.pids) copy.pids.add(pid);
    return copy;
  }

  key(): string {
    return JSON.stringify([...this.pids].sort());
  }
}
