/**
 * Time, as an argument. This file alone asks the machine for it, so that a test or a simulation can move it.
 */
export type TimerId = symbol | object | number;

export interface Clock {
  /** Milliseconds on a monotonic scale: for deadlines and durations, never for the wire. */
  nowMs(): number;
  /** Microseconds since 1970-01-01 UTC: for handles and log lines. */
  epochMicros(): number;
  /** Milliseconds since 1970 by the clock on the wall, which jumps, also over a sleep of the machine: only for finding out that it did. */
  wallMs(): number;
  /** Runs `callback` once, `delayMs` from now, unless cancelled. */
  setTimer(callback: () => void, delayMs: number): TimerId;
  /** Changes nothing for a timer that has run, or was cleared. */
  clearTimer(timer: TimerId): void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  epochMicros: () => Math.round((performance.timeOrigin + performance.now()) * 1000),
  wallMs: () => Date.now(),
  setTimer: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
};
