/** The end of whoever waits for a response, when its client goes. */
import type { StopSignal } from '../base/stop-signal.ts';
import { DRAINING } from './draining.ts';
import { ABANDONED, type ShapeResponse } from './shape-response.ts';

/** Stops waiting when the client goes. What its request had begun ends by itself, and its result is dropped. */
export function unlessAbandoned(response: Promise<ShapeResponse>, signal: StopSignal): Promise<ShapeResponse> {
  return new Promise((resolve, reject) => {
    const abandon = (): void => {
      if (signal.reason !== DRAINING) resolve(ABANDONED);
    };
    const leave = (): void => signal.removeEventListener('abort', abandon);
    signal.addEventListener('abort', abandon);
    response.then(
      (answer) => {
        leave();
        resolve(answer);
      },
      (error: Error) => {
        leave();
        reject(error);
      },
    );
  });
}
