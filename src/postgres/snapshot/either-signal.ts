/**
 * One signal of several, for as long as something takes. Node 20's own `AbortSignal.any` leaves a trace in each of them until that one is
 * gone: with a signal that lives as long as the process they add up.
 */
import { setMaxListeners } from 'node:events';

/** @param action is given a signal that is aborted with the first of `signals`, for its reason. */
export async function withEither<T>(signals: readonly AbortSignal[], action: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const either = new AbortController();
  const abort = (event: Event): void => either.abort((event.target as AbortSignal).reason);
  const aborted = signals.find((signal) => signal.aborted);
  if (aborted !== undefined) either.abort(aborted.reason);
  setMaxListeners(0, ...signals); // Of one that lives long there are as many as something is under way.
  for (const signal of signals) signal.addEventListener('abort', abort, { once: true });
  try {
    return await action(either.signal);
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', abort);
  }
}
