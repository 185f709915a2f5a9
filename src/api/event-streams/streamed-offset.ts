/**
 * Streamed offset: where the reader of an event stream stands. Clients make it themselves, `<lsn>_0` of the last up-to-date.
 *
 * It must lie behind all that was sent, or a client that comes back gets it twice, and before all that may come, or that is lost. So an
 * up-to-date event tells one LSN more than the log has come to, and each log leaves that place free. How far the whole service has come
 * would not do: the next commit may stand exactly there, and its first operation at `<lsn>_0`.
 */
import { compareOffsets, lsnOfOffset, offsetOf, positionOfOffset, streamedOffset, type LogOffset } from '../../model/log-offset.ts';
import { lsnOf, type Lsn } from '../../model/lsn.ts';

/** What an up-to-date event tells at the end of a log. */
export function streamedLsn(end: LogOffset): Lsn {
  return lsnOfOffset(streamedOffset(end));
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
