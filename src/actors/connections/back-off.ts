/** Back-off: how long to wait before the next attempt to reach Postgres, doubling from one failure to the next. */
export const FIRST_DELAY_MS = 50;
/** Also the delay after a failure that lasts until an operator mends it. */
export const DELAY_MS_MAX = 10_000;
/** A connection that has lived this long was a success: the next failure begins with the first delay again. */
export const PROVEN_AFTER_MS = 5_000;

/** @param fatal asking again does not help before an operator has mended something: it is done rarely, and still done. */
export function delayMsAfter(delayMs: number, fatal: boolean): number {
  return fatal ? DELAY_MS_MAX : delayMs;
}

export function nextDelayMs(delayMs: number): number {
  return Math.min(delayMs * 2, DELAY_MS_MAX);
}
