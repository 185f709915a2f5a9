/**
 * Subscribers: the processes that follow another one, as its table. A `multicall` goes to all of them.
 *
 * Its owner monitors each one and takes it out when it has ended; how many are left comes back as an event, so that
 * nothing is sent when nobody listens.
 */
import type { Message, Pid, RecipientsTable } from '../otp/process.ts';

export type SubscribersChange = { readonly add: Pid } | { readonly remove: Pid };

export class Subscribers implements RecipientsTable<SubscribersChange> {
  /** Most have none for all their lives, and most others one: no set is made for it. */
  private pids: Pid | Set<Pid> | undefined;

  apply(change: SubscribersChange): Message {
    if ('add' in change) this.add(change.add);
    else this.remove(change.remove);
    return { type: 'subscribers.counted', count: this.pids instanceof Set ? this.pids.size : this.pids === undefined ? 0 : 1 };
  }

  recipients(): Iterable<Pid> {
    return this.pids instanceof Set ? this.pids : this.pids === undefined ? [] : [this.pids];
  }

  clone(): Subscribers {
    const copy = new Subscribers();
    copy.pids = this.pids instanceof Set ? new Set(this.pids) : this.pids;
    return copy;
  }

  key(): string {
    return JSON.stringify([...this.recipients()].sort());
  }

  private add(pid: Pid): void {
    if (this.pids === undefined) this.pids = pid;
    else if (this.pids instanceof Set) this.pids.add(pid);
    else if (this.pids !== pid) this.pids = new Set([this.pids, pid]);
  }

  private remove(pid: Pid): void {
    if (this.pids instanceof Set) this.pids.delete(pid);
    else if (this.pids === pid) this.pids = undefined;
  }
}
