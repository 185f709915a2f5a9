/**
 * The cursor of a live response: clients that poll in the same window get the same one and so share a URL, which an
 * HTTP cache collapses into one request; yet nobody polls twice with the same URL.
 *
 * A URL has the offset too. So an answer that brings its client further tells the window's end to whoever asks, and those who come at
 * different times share what follows. Only one that leaves its client where it was must tell another cursor than it was asked with;
 * it jumps within a window, and the next window has the client with the others again.
 */
import type { Random } from '../base/random.ts';

const EPOCH_SECONDS = Date.UTC(2024, 9, 9) / 1000;

export interface CursorRequest {
  readonly epochMicros: number;
  /** How long a poll may take. */
  readonly windowSeconds: number;
  /** The request's `cursor`; whatever is not an integer counts as 0. */
  readonly previous: string | undefined;
  /** The answer ends where the request began. */
  readonly isSamePlace: boolean;
}

export function nextCursor({ epochMicros, windowSeconds, previous, isSamePlace }: CursorRequest, random: Random): string {
  if (windowSeconds <= 0) return '0';
  const elapsedSeconds = Math.floor(epochMicros / 1e6) - EPOCH_SECONDS;
  const cursor = Math.ceil(elapsedSeconds / windowSeconds) * windowSeconds;
  const last = previousCursor(previous);
  return String(cursor > last || !isSamePlace ? cursor : last + 1 + random.below(Math.max(1, windowSeconds - 1)));
}

function previousCursor(text: string | undefined): number {
  if (text === undefined || !/^[+-]?\d{1,15}$/.test(text)) return 0;
  return Number(text);
}
