/**
 * The cursor of a live response: clients that poll in the same window get the same one and so share a URL, which an
 * HTTP cache collapses into one request; yet nobody polls twice with the same URL.
 */
import type { Random } from '../base/random.ts';

const EPOCH_SECONDS = Date.UTC(2024, 9, 9) / 1000;
const JUMP_SECONDS_MAX = 3600;

/** @param previous the request's `cursor`; whatever is not an integer counts as 0. */
export function nextCursor(epochMicros: number, windowSeconds: number, previous: string | undefined, random: Random): string {
  if (windowSeconds <= 0) return '0';
  const elapsedSeconds = Math.floor(epochMicros / 1e6) - EPOCH_SECONDS;
  const cursor = Math.ceil(elapsedSeconds / windowSeconds) * windowSeconds;
  const last = previousCursor(previous);
  return String(cursor > last ? cursor : last + 1 + random.below(JUMP_SECONDS_MAX));
}

function previousCursor(text: string | undefined): number {
  if (text === undefined || !/^[+-]?\d{1,15}$/.test(text)) return 0;
  return Number(text);
}
