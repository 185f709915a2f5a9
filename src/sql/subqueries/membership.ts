/**
 * Membership: what a subquery selects, member by member. Its members are the values of its rows, in canonical text, and two marks
 * beside them, for `IN` is not a matter of values alone: it is unknown what equals a NULL, but nothing is in what has no row.
 */
import type { Membership } from '../where.ts';
import type { Truth } from './truths.ts';

/** It selects NULL in some row. No text of Postgres has this character. */
export const NULL_MEMBER = '\0null';
/** It has some row. */
export const ANY_MEMBER = '\0any';

export function isMark(member: string): boolean {
  return member === NULL_MEMBER || member === ANY_MEMBER;
}

/**
 * Of `value IN (SELECT …)`, as Postgres has it.
 *
 * @param value in canonical text; null for NULL.
 */
export function truthOfIn(isMember: Membership, subquery: number, value: string | null): Truth {
  if (value === null) return isMember(subquery, ANY_MEMBER) ? null : false;
  if (isMember(subquery, value)) return true;
  return isMember(subquery, NULL_MEMBER) ? null : false;
}
