/**
 * Turn: one go of the event loop. Who has much to do does a part of it in each, so that everybody else has theirs in between: what came
 * over sockets, what a disk has done, what is to be delivered. This file alone asks the machine for the next.
 */
export function nextTurn(action: () => void): void {
  setImmediate(action);
}
