/**
 * LogIntake: where the replication stream puts its transactions, and where the log writer finds out that there is
 * something to sync.
 *
 * It is the only way into the log for transactions, so what Postgres is told to be durable, and what readers may see,
 * follow from one place: the sync that covered it.
 *
 * How far the log holds the stream must be durable before Postgres is told. It goes with the transactions, which are
 * synced anyway. Where only WAL of others passes, a sync for each word of Postgres could be thousands in a second: so
 * that waits until `hold`, or until Postgres asks. One that shuts down asks, and waits until it hears that all is held.
 */
import type { LogPosition } from '../../model/log-position.ts';
import { compareLsn, LSN_ZERO, maxLsn, minLsn, type Lsn } from '../../model/lsn.ts';
import type { Xid } from '../../model/pg-snapshot.ts';
import type { RelationLayout } from '../../model/relation.ts';
import type { StreamSource } from '../../model/stream-source.ts';
import type { DiskStanding } from '../disk/disk-standing.ts';
import type { TransactionLog } from './transaction-log.ts';

/** Bytes that may wait for a sync before the stream is held back. */
const UNSYNCED_BYTES_MAX = 8 * 1024 * 1024;

/** What a sync has made durable. */
export interface Durable {
  readonly through: LogPosition;
  /** What a reader at `through` may be told of Postgres's log; zero when its stream was restarted meanwhile. */
  readonly lsn: Lsn;
}

export class LogIntake {
  private receivedLsn = LSN_ZERO;
  /** Every transaction that committed before it was appended. Behind `receivedLsn`, which may be the begin of a commit record. */
  private passedLsn = LSN_ZERO;
  /** Of `passedLsn`, what a sync has covered. */
  private durablePassedLsn = LSN_ZERO;
  private readonly passedWaiters = new Set<() => void>();
  private isHoldDue = false;
  private restarts = 0;
  private unsyncedBytes = 0;
  private isDirty = false;
  private isOpen = false;
  private wakeWriter: (() => void) | undefined;
  private relieve: (() => void) | undefined;
  private congested: Promise<void> | undefined;

  /**
   * @param disk holds the stream back while anything waits for it: not the log alone, for what the shapes take is in memory too.
   * @param synced told up to where the log is durable, after each sync.
   */
  constructor(
    private readonly log: TransactionLog,
    private readonly disk: Pick<DiskStanding, 'pause'> = { pause: undefined },
    private readonly synced: (through: LogPosition) => void = () => {},
  ) {}

  /** Behind the last transaction that was committed to it. */
  get end(): LogPosition {
    return this.log.appendedEnd;
  }

  /** What a power cut would leave of the log. */
  get durableEnd(): LogPosition {
    return this.log.durableEnd;
  }

  /** Set while more waits for the disk than may: the stream must not go on before it resolves. */
  get congestion(): Promise<void> | undefined {
    return this.congested ?? this.disk.pause;
  }

  /** A transaction is on its way, and its commit has yet to come; or what has come has yet to become durable. */
  get isUnderWay(): boolean {
    return this.isOpen || this.log.durableEnd < this.log.appendedEnd;
  }

  layout(layout: Omit<RelationLayout, 'id'>): number {
    return this.log.appendLayout(layout);
  }

  changes(xid: Xid, bytes: Uint8Array): void {
    this.isOpen = true;
    this.log.appendChanges(xid, bytes);
    this.unsyncedBytes += bytes.byteLength;
    if (this.unsyncedBytes >= UNSYNCED_BYTES_MAX) this.congest();
  }

  /**
   * @param endLsn behind the commit's record.
   * @param layouts of its changes.
   */
  commit(xid: Xid, lsn: Lsn, endLsn: Lsn, layouts: ReadonlySet<number>): void {
    this.isOpen = false;
    this.log.appendCommit(xid, lsn, layouts);
    this.passedLsn = maxLsn(this.passedLsn, endLsn);
    this.note(lsn);
  }

  abandon(): void {
    this.isOpen = false;
    this.log.abandon();
  }

  /**
   * Postgres's log has come to `lsn` and held nothing more for us.
   *
   * @param isAsked Postgres waits to hear how far it is durable.
   */
  progress(lsn: Lsn, isAsked: boolean): void {
    this.passedLsn = maxLsn(this.passedLsn, lsn);
    this.isHoldDue ||= isAsked;
    this.note(lsn);
  }

  /** Lets the next sync hold all that has passed, though nothing else needs one. */
  hold(): void {
    if (compareLsn(this.passedLsn, this.log.heldLsn) <= 0) return;
    this.isHoldDue = true;
    this.wake();
  }

  /** The stream begins anew, on a slot whose positions do not continue the old ones. Durable when it resolves. */
  async restart(source: StreamSource, lsn: Lsn): Promise<void> {
    this.receivedLsn = this.passedLsn = this.durablePassedLsn = LSN_ZERO;
    this.restarts += 1;
    this.log.restart(source, lsn);
    await this.log.sync();
  }

  /** The stream goes on under another name; nothing of it was told behind what is held. Durable when it resolves. */
  async goOn(source: StreamSource): Promise<void> {
    const { heldLsn } = this.log;
    this.receivedLsn = minLsn(this.receivedLsn, heldLsn);
    this.passedLsn = minLsn(this.passedLsn, heldLsn);
    this.log.goOn(source);
    await this.log.sync();
  }

  /** Resolves when there is something to sync; at once when there is already. Whoever waits next has the place of the one before. */
  awaitWork(): Promise<void> {
    if (this.isDirty) return Promise.resolve();
    return new Promise((resolve) => (this.wakeWriter = resolve));
  }

  /** True once every transaction that committed before `lsn` is in the log, durably. */
  hasPassed(lsn: Lsn): boolean {
    return compareLsn(this.durablePassedLsn, lsn) >= 0;
  }

  /** Resolves with the next sync, and when `signal` is aborted. */
  whenSynced(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.passedWaiters.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.passedWaiters.add(wake);
      signal.addEventListener('abort', wake, { once: true });
      if (signal.aborted) wake();
    });
  }

  /** Makes durable all that has come so far. @throws {DiskError} as the log does. */
  async sync(): Promise<Durable> {
    const { receivedLsn, passedLsn, restarts } = this;
    if (this.isHoldDue || this.unsyncedBytes > 0) this.log.appendHeld(this.passedLsn);
    this.isDirty = this.isHoldDue = false;
    this.unsyncedBytes = 0;
    const through = await this.log.sync();
    this.relieve?.();
    this.relieve = undefined;
    this.congested = undefined;
    if (restarts === this.restarts) this.durablePassedLsn = passedLsn;
    this.synced(through);
    for (const wake of [...this.passedWaiters]) wake();
    return { through, lsn: restarts === this.restarts ? receivedLsn : LSN_ZERO };
  }

  /** Makes durable what was recorded before. What has come of the stream may be so too, and nobody is told of it. @throws as `sync`. */
  async syncRecords(): Promise<void> {
    await this.log.sync();
  }

  private note(lsn: Lsn): void {
    this.receivedLsn = maxLsn(this.receivedLsn, lsn);
    this.wake();
  }

  private congest(): void {
    this.congested ??= new Promise((resolve) => {
      this.relieve = resolve;
    });
    this.wake(); // A transaction larger than the bound has no commit yet: its frames are synced on the way.
  }

  private wake(): void {
    this.isDirty = true;
    this.wakeWriter?.();
    this.wakeWriter = undefined;
  }
}
