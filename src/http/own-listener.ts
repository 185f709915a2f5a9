/**
 * OwnListener: one function for the same event of many, told of whose it is. Thousands wait at a time, and a function for each of them
 * would take as much room as what is held for it.
 */
export function ownListener<Emitter>(tell: (emitter: Emitter) => void): (this: Emitter) => void {
  return function (this: Emitter): void {
    tell(this);
  };
}
