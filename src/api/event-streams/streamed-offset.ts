/**
 * Streamed offset: where the reader of an event stream stands. Clients make it themselves, `<lsn>_0` of the last up-to-date,
 * since no event tells an offset.
 *
 * It must lie behind all that was sent, or a client that comes back gets it twice, and before all that may come, or that is lost.
 * The LSN of the last transaction is neither: `<lsn>_0` lies before its second operation. The next higher number is both, because
 * no two commits stand so close together in Postgres's log. How far the whole service has come would not do: the next commit may
 * stand exactly there, and its first operation at `<lsn>_0`.
 */
import { compareOffsets, lsnOfOffset, offsetOf, positionOfOffset, type LogOffset } from '../../model/log-offset.ts';
import { lsnOf, maxLsn, type Lsn } from '../../model/lsn.ts';
import type { ReadableLog } from '../ports.ts';

/** Behind every snapshot and before every transaction. */
const FIRST_LSN = lsnOf(1n);

/**
 * What an up-to-date event tells. A shape that depends on others may go on under the LSN that it ended with: of its last
 * transaction a client that comes back gets the later operations again.
 */
export function streamedLsn({ end, reached }: Pick<ReadableLog, 'end' | 'reached'>): Lsn {
  const last = lsnOfOffset(end);
  return maxLsn(reached === undefined ? last : lsnOf(BigInt(last) + 1n), FIRST_LSN);
}

/** The offset that the end of a log must have come to before a reader who stands `after` can go on. */
export function neededFor(after: LogOffset): LogOffset {
  const lsn = BigInt(lsnOfOffset(after));
  return positionOfOffset(after) === 0 && lsn > 0n ? offsetOf(lsnOf(lsn - 1n), 0) : after;
}

/** Where a reader stands who says `after`: at the end, when that is what an up-to-date event made of the end. */
export function standing(after: LogOffset, end: LogOffset): LogOffset {
  return compareOffsets(after, end) > 0 && compareOffsets(end, neededFor(after)) >= 0 ? end : after;
}
