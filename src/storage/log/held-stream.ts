/**
 * HeldStream: how far the log holds which stream. It decides what Postgres may be told to forget, and whether a slot
 * still goes on where the log ends.
 *
 * The rule for `heldLsn`: every transaction of the stream that committed before it is in the log, durably. Postgres is
 * told that and never more, so a slot that has confirmed more was moved on by somebody else, and what lies between is
 * lost to the log. A bound that ran ahead of what the log holds, to be raised less often, would hide just that loss.
 * And a slot that has confirmed less, whoever moved it, has lost nothing that the log needs.
 */
import { LSN_ZERO, type Lsn } from '../../model/lsn.ts';
import type { StreamSource } from '../../model/stream-source.ts';

export interface HeldStream {
  /** Undefined until a stream began. */
  readonly source: StreamSource | undefined;
  /** Of the last transaction appended; one at or below it has been taken. */
  readonly lastCommitLsn: Lsn;
  readonly heldLsn: Lsn;
}

export const NO_STREAM: HeldStream = { source: undefined, lastCommitLsn: LSN_ZERO, heldLsn: LSN_ZERO };
