/**
 * NowOrLater: a value that is there, or the promise of one. To wait for what is there already takes a promise and a turn of the queue for
 * nothing, and on the way of a request, twenty times over, as much as the rest of it.
 */
export type NowOrLater<Value> = Value | Promise<Value>;

/** Goes on with the value, at once where it is there. */
export function andThen<Value, Next>(value: NowOrLater<Value>, next: (value: Value) => NowOrLater<Next>): NowOrLater<Next> {
  return value instanceof Promise ? value.then(next) : next(value);
}
