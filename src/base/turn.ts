/**
 * Turn: one go of the event loop. Who has much to do does a part of it in each, so that everybody else has theirs in between: what came
 * over sockets, what a disk has done, what is to be delivered. This file alone asks the machine for the next.
 */
export function nextTurn(action: () => void): void {
  setImmediate(action);
}

/** Behind all that promises have brought by now, and what follows of that; still in this turn. */
export function behindPromises(action: () => void): void {
  queueMicrotask(() => process.nextTick(action)); // Its turn comes when no microtask is left.
}

/** Does it with each, in order, so many in a turn; resolves when it was done with the last. @throws what it throws. */
export async function inTurns<T>(things: readonly T[], atOnceMax: number, action: (thing: T, index: number) => void): Promise<void> {
  for (let from = 0; from < things.length; from += atOnceMax) {
    if (from > 0) await new Promise<void>(nextTurn);
    things.slice(from, from + atOnceMax).forEach((thing, index) => action(thing, from + index));
  }
}
