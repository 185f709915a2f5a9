/**
 * One signal of several, for as long as something takes. Node 20's own `AbortSignal.any` leaves a trace in each of them until that one is
 * gone: with a signal that lives as long as the process they add up.
 */
import { setMaxListeners } from 'node:events';
import { Stop, type StopSignal } from '../../base/stop-signal.ts';

/** @param action is given a signal that is aborted with the first of `signals`, for its reason. */
export async function withEither<T>(signals: readonly StopSignal[], action: (signal: StopSignal) => Promise<T>): Promise<T> {
  const either = new Stop();
  const listening = signals.map((signal) => listenTo(signal, () => either.abort(signal.reason)));
  try {
    return await action(either);
  } finally {
    for (const stop of listening) stop();
  }
}

/** Of one that lives long there are as many as something is under way. */
const unwarned = new WeakSet<StopSignal>();

function listenTo(signal: StopSignal, abort: () => void): () => void {
  if (signal.aborted) abort();
  if (signal instanceof AbortSignal && !unwarned.has(signal)) {
    setMaxListeners(0, signal);
    unwarned.add(signal);
  }
  signal.addEventListener('abort', abort, { once: true });
  return () => signal.removeEventListener('abort', abort);
}
