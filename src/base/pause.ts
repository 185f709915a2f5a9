/** Waiting, by a given clock. */
import type { StopSignal } from './stop-signal.ts';
import type { Clock } from './clock.ts';

/** Resolves `delayMs` from now, or as soon as `signal` is aborted. */
export function pause(clock: Clock, delayMs: number, signal?: StopSignal): Promise<void> {
  return new Promise((done) => {
    if (signal?.aborted) return done();
    const timer = clock.setTimer(finish, delayMs);
    signal?.addEventListener('abort', finish, { once: true });
    function finish(): void {
      clock.clearTimer(timer);
      signal?.removeEventListener('abort', finish);
      done();
    }
  });
}
