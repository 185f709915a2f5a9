/**
 * Writes: what was done here, shown at once, until the shape brings it or it fails.
 *
 * A write must be let go of in the moment in which the shape has it. Sooner, and the old state flashes up; later, and it hides what others
 * do to the same todo. So the server answers with the number of the write's transaction. Each change that the shape brings names the
 * transactions that it comes from; its first rows name none, but the snapshot in which they were read, and that tells of each transaction
 * whether they have it. The answer may come before the row, or behind it.
 *
 * A page that was away may get one change for several, which names the last alone. So a write is let go of, at the latest, when the shape
 * is up to date at a place in Postgres's log that lies behind it.
 */
import type { Change } from '../change.ts';

/** The message is for whoever made the write. */
export class WriteError extends Error {
  override readonly name = 'WriteError';
}

/** Of a message of the client, what is read here. */
export interface ShapeMessage {
  readonly headers: Readonly<Record<string, unknown>>;
}

/** What the server answers. */
export interface MadeWrite {
  readonly txid: bigint;
  /** A place in Postgres's log, behind the transaction. */
  readonly lsn: bigint;
}

export interface FailedWrite {
  readonly change: Change;
  readonly reason: string;
}

export interface WritesState {
  /** In the order in which they were made. */
  readonly pending: readonly Change[];
  readonly failed: readonly FailedWrite[];
}

interface Pending {
  readonly change: Change;
  /** Undefined until it is answered. */
  made: MadeWrite | undefined;
}

/** As Postgres tells it: what is below `xmax` was over, but for what was in progress. */
interface Snapshot {
  readonly xmax: bigint;
  readonly inProgress: ReadonlySet<bigint>;
}

const NO_ROWS: Snapshot = { xmax: 0n, inProgress: new Set() };

export class Writes {
  private pending: readonly Pending[] = [];
  private failed: readonly FailedWrite[] = [];
  private state: WritesState = { pending: [], failed: [] };
  /** What the shape brought while a write was pending; of 32 bits, as it tells them. */
  private readonly arrived = new Set<number>();
  private firstRows = NO_ROWS;
  /** What was brought is shown: first rows are not before their end. */
  private isShown = false;
  /** Where in Postgres's log the shape was up to date last. */
  private reachedLsn = 0n;
  private sending: Promise<void> = Promise.resolve();
  private readonly listeners = new Set<() => void>();

  /** @param send makes a change, and tells how, or null where nothing was to change. What it throws is a WriteError. */
  constructor(private readonly send: (change: Change) => Promise<MadeWrite | null>) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** The same value until something changes. */
  readonly current = (): WritesState => this.state;

  /** One is sent after the other is answered: two ticks of a todo must not overtake each other. */
  make(change: Change): void {
    const write: Pending = { change, made: undefined };
    this.become([...this.pending, write], this.failed);
    this.sending = this.sending.then(() => this.sendOne(write));
  }

  /** Makes it once more. */
  retry(write: FailedWrite): void {
    this.dismiss(write);
    this.make(write.change);
  }

  dismiss(write: FailedWrite): void {
    this.become(this.pending, this.failed.filter((other) => other !== write));
  }

  /** Told of everything that the shape brings. */
  readonly take = (messages: readonly ShapeMessage[]): void => {
    for (const { headers } of messages) this.note(headers);
    this.settle();
  };

  private note({ control, txids, xmax, xip_list: inProgress, global_last_seen_lsn: lsn }: ShapeMessage['headers']): void {
    if (Array.isArray(txids)) for (const txid of txids) this.arrived.add(Number(txid));
    if (control === 'snapshot-end') this.firstRows = { xmax: BigInt(String(xmax)), inProgress: numbersOf(inProgress) };
    if (control === 'must-refetch') this.isShown = false;
    if (control !== 'up-to-date') return;
    this.isShown = true;
    if (lsn !== undefined) this.reachedLsn = BigInt(String(lsn));
  }

  private async sendOne(write: Pending): Promise<void> {
    try {
      const made = await this.send(write.change);
      if (made === null) return this.become(this.allBut(write), this.failed);
      write.made = made;
      this.settle();
    } catch (error) {
      if (!(error instanceof WriteError)) throw error;
      this.become(this.allBut(write), [...this.failed, { change: write.change, reason: error.message }]);
    }
  }

  private allBut(write: Pending): readonly Pending[] {
    return this.pending.filter((other) => other !== write);
  }

  private settle(): void {
    const left = this.pending.filter((write) => !this.hasCome(write));
    if (left.length === 0) this.arrived.clear();
    if (left.length < this.pending.length) this.become(left, this.failed);
  }

  private hasCome({ made }: Pending): boolean {
    if (made === undefined || !this.isShown) return false;
    const { txid, lsn } = made;
    return this.arrived.has(Number(BigInt.asUintN(32, txid))) || isSeen(txid, this.firstRows) || lsn <= this.reachedLsn;
  }

  private become(pending: readonly Pending[], failed: readonly FailedWrite[]): void {
    this.pending = pending;
    this.failed = failed;
    this.state = { pending: pending.map(({ change }) => change), failed };
    for (const listener of this.listeners) listener();
  }
}

function isSeen(txid: bigint, { xmax, inProgress }: Snapshot): boolean {
  return txid < xmax && !inProgress.has(txid);
}

function numbersOf(list: unknown): ReadonlySet<bigint> {
  return new Set(Array.isArray(list) ? list.map((number) => BigInt(String(number))) : []);
}
