/**
 * CallIds: how calls are named. By who calls, and for each of these from nought: so it makes no difference in which order
 * two processes have called.
 *
 * An id that nothing names any more is given out again, the smallest first: states that differ only in how many calls there
 * have been are one state. (One that a message still names must not come again: a late answer would be taken for another.)
 */

/** The ids that something names: by role, as the bits of a number. */
export type Named = readonly number[];

export const NONE: Named = [];
const BITS = 5;
/** Of one role, at a time. */
const IDS_MAX = 30;
const CALL_ID = /call!(\d+)/g;

export function roleOf(id: number): number {
  return id >> BITS;
}

export function replyToOf(id: number): string {
  return `call!${id}`;
}

export function idOfReplyTo(replyTo: string): number {
  return Number(replyTo.slice('call!'.length));
}

export function namedIn(text: string): Named {
  let named = NONE;
  for (const [, id] of text.matchAll(CALL_ID)) named = union(named, only(Number(id)));
  return named;
}

export function only(id: number): Named {
  const named = Array<number>(roleOf(id) + 1).fill(0);
  named[roleOf(id)] = 1 << (id & ((1 << BITS) - 1));
  return named;
}

export function union(one: Named, other: Named): Named {
  if (one.length === 0 || other.length === 0) return one.length === 0 ? other : one;
  const length = Math.max(one.length, other.length);
  return Array.from({ length }, (_, role) => (one[role] ?? 0) | (other[role] ?? 0));
}

/** @param named of the role, as bits. */
export function freeId(role: number, named: number): number {
  for (let number = 0; number < IDS_MAX; number += 1) if ((named & (1 << number)) === 0) return (role << BITS) | number;
  throw new RangeError(`more than ${IDS_MAX} calls of one process are named at a time`);
}
