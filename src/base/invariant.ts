/** A claim that only a bug of ours can break: the process that holds it crashes, its supervisor decides. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** @throws {InvariantError} with `claim` as its message, when `condition` does not hold. */
export function invariant(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new InvariantError(claim);
}
