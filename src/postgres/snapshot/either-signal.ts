/**
 * One signal of several, for as long as something takes. Node 20's own `AbortSignal.any` leaves a trace in each of them until that one is
 * gone: with a signal that lives as long as the process they add up.
 */
import { setMaxListeners } from 'node:events';
import { Stop, type StopSignal } from '../../base/stop-signal.ts';

type Action<T> = (signal: StopSignal) => Promise<T>;

/** @param action is given a signal that is aborted with the first of `signals`, for its reason. */
export function withEither<T>(signals: readonly StopSignal[], action: Action<T>): Promise<T> {
  return withOne(signals, (either, { reason }) => either.abort(reason), action);
}

/** @param action is given a signal that is aborted with the last of `signals`, for the reason of that one. */
export function withAll<T>(signals: readonly StopSignal[], action: Action<T>): Promise<T> {
  let left = signals.length;
  return withOne(signals, (all, { reason }) => {
    left -= 1;
    if (left === 0) all.abort(reason);
  }, action);
}

/** @param told of each of `signals` that is aborted. */
async function withOne<T>(signals: readonly StopSignal[], told: (one: Stop, signal: StopSignal) => void, action: Action<T>): Promise<T> {
  const one = new Stop();
  const listening = signals.map((signal) => listenTo(signal, () => told(one, signal)));
  try {
    return await action(one);
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
