/**
 * DatabaseUse: when the database was used last, and whether its connections are open. The table of the idle watch, read and noted in by
 * each request directly: a request notes its use and learns whether the connections are open in one step, and the idle watch closes them
 * in one, so that no request goes on over connections that are about to be closed.
 *
 * Used is the database by a request for a shape, while that is answered or followed as an event stream; by a transaction of the stream,
 * whomever it touches; by rows that are being read. A request that waits for a change is none: it was when it came.
 */
import type { Fork, Forkable } from '../../base/fork.ts';
import type { LogPosition } from '../../model/log-position.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { Table } from '../../otp/process.ts';

export type DatabaseUseChange =
  /** Has nobody used it for so long? */
  | 'look'
  /** Likewise; if so, the connections count as closed. */
  | 'close'
  /** They are open, and what was missed is followed. */
  | 'open'
  /** They count as open: Postgres does not come, and what is done then is for everybody to decide. */
  | 'giveUp'
  /** Have the shapes taken the log up to there? */
  | { readonly taken: LogPosition };

/** What the table tells the idle watch. */
export type DatabaseUseTold =
  | { readonly type: 'use.isOver' }
  | { readonly type: 'use.goesOn' }
  /** They were closed: for so many milliseconds, of which the last came behind the request that woke them. */
  | { readonly type: 'use.resumed'; readonly closedForMs: number; readonly wakingForMs: number; readonly isFollowed: boolean }
  | { readonly type: 'log.isTaken' }
  | { readonly type: 'log.isUntaken' };

export interface DatabaseUsePorts extends Forkable<DatabaseUsePorts> {
  nowMs(): number;
  /** Microseconds since 1970-01-01 UTC. */
  epochMicros(): number;
  /** Of the last transaction that the stream has brought. */
  lastCommitLsn(): Lsn;
  /** Somebody is being answered, or rows are being read. */
  isInUse(): boolean;
  /** The service is well, and nothing is under way that would have to begin anew: asked only when there is no use. */
  isSettled(): boolean;
  hasTaken(through: LogPosition): boolean;
}

interface Closed {
  readonly sinceMicros: number;
  readonly atMs: number;
  /** Of the first request since. */
  wokenAtMs: number | undefined;
}

export class DatabaseUse implements Table<DatabaseUseChange> {
  private lastMs: number;
  private seenLsn: Lsn;
  private closed: Closed | undefined;

  /** @param idleMs milliseconds for which nobody must have used it. */
  constructor(
    private readonly ports: DatabaseUsePorts,
    private readonly idleMs: number,
  ) {
    this.lastMs = ports.nowMs();
    this.seenLsn = ports.lastCommitLsn();
  }

  get isOpen(): boolean {
    return this.closed === undefined;
  }

  /** Undefined while they are open. */
  get closedSinceMicros(): number | undefined {
    return this.closed?.sinceMicros;
  }

  /** Somebody waits for them to be open, and for what was missed to be followed. */
  get isAwaited(): boolean {
    return this.closed?.wokenAtMs !== undefined;
  }

  note(): void {
    this.lastMs = this.ports.nowMs();
    if (this.closed !== undefined) this.closed.wokenAtMs ??= this.lastMs;
  }

  apply(change: DatabaseUseChange): DatabaseUseTold | undefined {
    switch (change) {
      case 'look':
        return this.look();
      case 'close':
        return this.shut();
      case 'open':
        return this.resume(true);
      case 'giveUp':
        return this.resume(false);
      default:
        return { type: this.ports.hasTaken(change.taken) ? 'log.isTaken' : 'log.isUntaken' };
    }
  }

  clone(fork: Fork): DatabaseUse {
    const copy = new DatabaseUse(this.ports.clone(fork), this.idleMs);
    copy.lastMs = this.lastMs;
    copy.seenLsn = this.seenLsn;
    copy.closed = this.closed && { ...this.closed };
    return copy;
  }

  key(): string {
    return JSON.stringify([this.lastMs, this.seenLsn, this.closed]);
  }

  private look(): DatabaseUseTold {
    const { ports } = this;
    const nowMs = ports.nowMs();
    const lsn = ports.lastCommitLsn();
    if (lsn !== this.seenLsn || ports.isInUse()) this.lastMs = nowMs;
    this.seenLsn = lsn;
    const isOver = nowMs - this.lastMs >= this.idleMs && ports.isSettled();
    return { type: isOver ? 'use.isOver' : 'use.goesOn' };
  }

  private shut(): DatabaseUseTold {
    const told = this.look();
    if (told.type !== 'use.isOver') return told;
    this.closed = { sinceMicros: this.ports.epochMicros(), atMs: this.ports.nowMs(), wokenAtMs: undefined };
    return told;
  }

  private resume(isFollowed: boolean): DatabaseUseTold | undefined {
    const { closed, ports } = this;
    if (closed === undefined) return undefined;
    this.closed = undefined;
    this.lastMs = ports.nowMs();
    const wakingForMs = Math.round(this.lastMs - (closed.wokenAtMs ?? this.lastMs));
    return { type: 'use.resumed', closedForMs: Math.round(this.lastMs - closed.atMs), wakingForMs, isFollowed };
  }
}
