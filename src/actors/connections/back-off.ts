/** Back-off: how long to wait before the next attempt to reach Postgres, doubling from one failure to the next. */
export const FIRST_DELAY_MS = 50;
/** Also the delay after a failure that lasts until an operator mends it. */
export const DELAY_MS_MAX = 10_000;
/** A connection that has lived this long was a success: the next failure begins with the first delay again. */
export const PROVEN_AFTER_MS = 5_000;

export function nextDelayMs(delayMs: number): number {
  return Math.min(delayMs * 2, DELAY_MS_MAX);
}
