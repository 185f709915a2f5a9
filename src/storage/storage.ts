/** Storage: the transaction log and the shapes' logs made from it, opened and closed together. */
import type { Forkable } from '../base/fork.ts';
import type { DiskStanding } from './disk/disk-standing.ts';
import type { ShapeLogs } from './shapes/shape-logs.ts';
import type { HeldStream } from './log/held-stream.ts';
import type { TransactionLog } from './log/transaction-log.ts';

export interface Storage extends Forkable<Storage> {
  readonly log: TransactionLog;
  readonly shapes: ShapeLogs;
  /** What it cannot do at present. */
  readonly disk: DiskStanding;
  /** What was found damaged when it was opened, and what became of it; a sentence each. */
  readonly notes: readonly string[];
  /**
   * Set when the log was found damaged and begun anew: what is known of the stream that it had. No more than this is sure,
   * and nothing where the log could not even say whose stream it was.
   */
  readonly damagedStream?: HeldStream;
  /** Checkpoints, syncs and gives everything back; the second call does nothing. */
  close(): Promise<void>;
}

/** JSON bytes at which a chunk closes, of a snapshot or of a log. */
export const CHUNK_BYTES_MAX = 10 * 1024 * 1024;
