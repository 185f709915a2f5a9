/** For how long a shape counts as in use behind a read of it. */

/** Readers come back at once after a poll, or after a stream of a minute: who has not for so long is gone. */
const IN_USE_MS = 180_000;
const POLLS_IN_USE = 3;

export function inUseMs(longPollTimeoutMs: number): number {
  return Math.max(IN_USE_MS, POLLS_IN_USE * longPollTimeoutMs);
}
