/** Truths: sets of what a condition may come to. Null is unknown. */
export type Truth = boolean | null;
export type Truths = ReadonlySet<Truth>;

/** What a filter takes. */
export const TRUE: Truths = new Set([true]);

/** A condition comes to one of `truths` exactly when its negation comes to one of these. */
export function negated(truths: Truths): Truths {
  return new Set([...truths].map((truth) => (truth === null ? null : !truth)));
}

export function others(truths: Truths): Truths {
  return new Set([true, false, null].filter((truth) => !truths.has(truth)));
}

/** Whether what is false and what is unknown are not alike to it. */
export function tellsUnknown(truths: Truths): boolean {
  return truths.has(false) !== truths.has(null);
}
