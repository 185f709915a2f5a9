/**
 * LogIntake: where the replication stream puts its transactions, and where the log writer finds out that there is
 * something to sync.
 *
 * It is the only way into the log for transactions, so what Postgres is told to be durable, and what readers may see,
 * follow from one place: the sync that covered it.
 */
import type { LogPosition } from '../../model/log-position.ts';
import { LSN_ZERO, maxLsn, type Lsn } from '../../model/lsn.ts';
import type { Xid } from '../../model/pg-snapshot.ts';
import type { RelationLayout } from '../../model/relation.ts';
import type { TransactionLog } from './transaction-log.ts';

/** Bytes that may wait for a sync before the stream is held back. */
const UNSYNCED_BYTES_MAX = 64 * 1024 * 1024;

/** What a sync has made durable. */
export interface Durable {
  readonly through: LogPosition;
  /** Postgres need not keep anything up to here; zero when its stream was restarted meanwhile. */
  readonly lsn: Lsn;
}

export class LogIntake {
  private receivedLsn = LSN_ZERO;
  private restarts = 0;
  private unsyncedBytes = 0;
  private isDirty = false;
  private wakeWriter: (() => void) | undefined;
  private relieve: (() => void) | undefined;
  private congested: Promise<void> | undefined;

  constructor(private readonly log: TransactionLog) {}

  /** Set while more waits for the disk than may: the stream must not go on before it resolves. */
  get congestion(): Promise<void> | undefined {
    return this.congested;
  }

  layout(layout: Omit<RelationLayout, 'id'>): number {
    return this.log.appendLayout(layout);
  }

  changes(xid: Xid, bytes: Uint8Array): void {
    this.log.appendChanges(xid, bytes);
    this.unsyncedBytes += bytes.byteLength;
    if (this.unsyncedBytes >= UNSYNCED_BYTES_MAX) this.congest();
  }

  commit(xid: Xid, lsn: Lsn): void {
    this.log.appendCommit(xid, lsn);
    this.note(lsn);
  }

  abandon(): void {
    this.log.abandon();
  }

  /** Postgres's log has come to `lsn` and held nothing more for us. */
  progress(lsn: Lsn): void {
    this.note(lsn);
  }

  /** The stream begins anew, on a slot whose positions do not continue the old ones. Durable when it resolves. */
  async restart(source: string): Promise<void> {
    this.receivedLsn = LSN_ZERO;
    this.restarts += 1;
    this.log.restart(source);
    await this.log.sync();
  }

  /** Resolves when there is something to sync; at once when there is already. */
  awaitWork(signal: AbortSignal): Promise<void> {
    if (this.isDirty || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.wakeWriter = wake;
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  /** Makes durable all that has come so far. @throws {DiskError} as the log does. */
  async sync(): Promise<Durable> {
    const { receivedLsn, restarts } = this;
    this.isDirty = false;
    this.unsyncedBytes = 0;
    const through = await this.log.sync();
    this.relieve?.();
    this.relieve = undefined;
    this.congested = undefined;
    return { through, lsn: restarts === this.restarts ? receivedLsn : LSN_ZERO };
  }

  private note(lsn: Lsn): void {
    this.receivedLsn = maxLsn(this.receivedLsn, lsn);
    this.isDirty = true;
    this.wakeWriter?.();
    this.wakeWriter = undefined;
  }

  private congest(): void {
    this.congested ??= new Promise((resolve) => {
      this.relieve = resolve;
    });
    this.isDirty = true; // A transaction larger than the bound has no commit yet: its frames are synced on the way.
    this.wakeWriter?.();
    this.wakeWriter = undefined;
  }
}
