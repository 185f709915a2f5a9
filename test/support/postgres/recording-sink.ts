/** A TransactionSink in memory that keeps whole transactions as values to compare, and says when one more has come. */
import { invariant } from '../../../src/base/invariant.ts';
import { Change, CHANGE_KINDS, type GapCause, type Tuple } from '../../../src/model/change.ts';
import { LSN_ZERO, type Lsn } from '../../../src/model/lsn.ts';
import type { Xid } from '../../../src/model/pg-snapshot.ts';
import type { RelationLayout } from '../../../src/model/relation.ts';
import type { CommitFigures, TransactionSink } from '../../../src/postgres/replication/transaction-sink.ts';

export interface RecordedChange {
  readonly kind: number;
  readonly table: string;
  readonly position: number;
  readonly old?: readonly (string | null)[];
  readonly new?: readonly (string | null)[];
  readonly cause?: GapCause;
}

export interface RecordedTransaction {
  readonly lsn: Lsn;
  readonly xid: Xid;
  readonly changes: readonly RecordedChange[];
  /** As the commit told them. */
  readonly layouts: readonly number[];
  readonly fragmentCount: number;
}

export class RecordingSink implements TransactionSink {
  readonly layouts: RelationLayout[] = [];
  /** All, also those without changes, of which a stream tells before Postgres 15. */
  readonly commits: RecordedTransaction[] = [];
  /** Of each of them. */
  readonly figures: CommitFigures[] = [];
  abandonedCount = 0;
  /** The most that the open transaction ever had here. */
  openBytesMax = 0;
  lastProgress: Lsn | undefined;
  /** All that committed before it was told. */
  passedLsn = LSN_ZERO;
  congestion: Promise<void> | undefined;
  /** Told when Postgres waits to hear how far it is durable. */
  onAsked: () => void = () => {};
  private open: Uint8Array[] = [];
  private watchers: (() => void)[] = [];

  /** The columns of each row, as JSON bytes rather than text, when asked for. */
  constructor(private readonly tell: (tuple: Tuple) => (string | null)[] = texts) {}

  layout(layout: Omit<RelationLayout, 'id'>): number {
    const key = JSON.stringify(layout);
    const known = this.layouts.find(({ id: _, ...rest }) => JSON.stringify(rest) === key);
    if (known !== undefined) return known.id;
    const id = this.layouts.length + 1;
    this.layouts.push({ id, ...layout });
    return id;
  }

  changes(_xid: Xid, bytes: Uint8Array): void {
    this.open.push(bytes.slice());
    this.openBytesMax = Math.max(this.openBytesMax, this.open.reduce((sum, { length }) => sum + length, 0));
    this.wake();
  }

  commit(xid: Xid, lsn: Lsn, endLsn: Lsn, layouts: ReadonlySet<number>, figures: CommitFigures): void {
    this.figures.push(figures);
    const written = new Set(this.open.flatMap((bytes) => changesOf(bytes).map(({ layoutId }) => layoutId)));
    invariant([...written].join() === [...layouts].join(), 'a commit tells the layouts of its changes, and no others');
    this.passedLsn = endLsn;
    const changes = this.open.flatMap((bytes) => this.read(bytes));
    this.commits.push({ lsn, xid, changes, layouts: [...layouts], fragmentCount: this.open.length });
    this.open = [];
    this.wake();
  }

  abandon(): void {
    this.open = [];
    this.abandonedCount += 1;
    this.wake();
  }

  progress(lsn: Lsn, isAsked: boolean): void {
    this.lastProgress = this.passedLsn = lsn;
    if (isAsked) this.onAsked();
    this.wake();
  }

  /** Resolves as soon as `claim` holds of this sink; a test's own time-out bounds it. */
  async until(claim: (sink: this) => boolean): Promise<void> {
    while (!claim(this)) await new Promise<void>((done) => this.watchers.push(done));
  }

  /** Those with changes. */
  get transactions(): readonly RecordedTransaction[] {
    return this.commits.filter(({ changes }) => changes.length > 0);
  }

  get rows(): readonly RecordedChange[] {
    return this.transactions.flatMap(({ changes }) => changes);
  }

  private wake(): void {
    const woken = this.watchers;
    this.watchers = [];
    for (const watcher of woken) watcher();
  }

  private read(bytes: Uint8Array): RecordedChange[] {
    return changesOf(bytes).map((change) => this.record(change));
  }

  private record(change: Change): RecordedChange {
    return {
      kind: change.kind,
      table: this.layouts.find(({ id }) => id === change.layoutId)?.name ?? '?',
      position: change.position,
      ...(change.old === undefined ? {} : { old: this.tell(change.old) }),
      ...(change.new === undefined ? {} : { new: this.tell(change.new) }),
      ...(change.kind === CHANGE_KINDS.gap ? { cause: change.cause } : {}),
    };
  }
}

function changesOf(bytes: Uint8Array): Change[] {
  const changes: Change[] = [];
  for (let at = 0; at < bytes.length; at = changes.at(-1)?.end ?? bytes.length) changes.push(new Change(bytes, at));
  return changes;
}

export function texts(tuple: Tuple): (string | null)[] {
  return Array.from({ length: tuple.columnCount }, (_, index) => tuple.text(index));
}

/** The bytes of the values, as latin1 so that a difference is readable. */
export function valueBytes(tuple: Tuple): (string | null)[] {
  return Array.from({ length: tuple.columnCount }, (_, index) => Buffer.from(tuple.json(index)).toString('latin1'));
}
