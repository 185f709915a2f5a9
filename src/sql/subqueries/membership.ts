/**
 * Membership: what a subquery selects, member by member. Its members are the values of its rows, in canonical text, and marks beside
 * them, for `IN` is not a matter of values alone: it is unknown what equals a NULL, but nothing is in what has no row.
 *
 * A subquery of several columns selects row values. Two of them are unequal when some part is, and otherwise unknown when a part of
 * either is NULL. So a member with NULL parts is one of its own, and a left side with NULL parts is looked for by the others.
 */
import type { Key, LeftSide, Membership } from '../where.ts';
import { tellsUnknown, type Truth, type Truths } from './truths.ts';

/** It selects NULL in some row, or a row value with a NULL part. No text of Postgres has this character. */
export const NULL_MEMBER = '\0null';
/** It has some row. */
export const ANY_MEMBER = '\0any';
/** What a mark begins with that asks for members by some of their parts. */
const PATTERN = '\0[';

export function isMark(member: string): boolean {
  return member.startsWith('\0');
}

/** The member that is a row value. */
export function rowMember(parts: readonly Key[]): string {
  return JSON.stringify(parts);
}

/** @param member as `rowMember` gave it. */
export function rowParts(member: string): readonly Key[] {
  return JSON.parse(member) as readonly Key[];
}

/** The mark that some member has these parts; undefined for one that may be anything. */
export function rowPattern(parts: readonly (Key | undefined)[]): string {
  if (parts.every((part) => part === undefined)) return ANY_MEMBER;
  return `\0${JSON.stringify(parts.map((part) => (part === undefined ? 0 : part)))}`;
}

/** Which parts a mark asks for; undefined for a mark that asks for none. */
export function patternParts(mark: string): readonly (Key | undefined)[] | undefined {
  if (!mark.startsWith(PATTERN)) return undefined;
  return (JSON.parse(mark.slice(1)) as readonly (Key | 0)[]).map((part) => (part === 0 ? undefined : part));
}

/**
 * Of `left IN (SELECT …)`, as Postgres has it.
 *
 * @param left in canonical text.
 */
export function truthOfIn(isMember: Membership, subquery: number, left: LeftSide): Truth {
  if (left === null) return isMember(subquery, ANY_MEMBER) ? null : false;
  if (typeof left !== 'string') return truthOfRowIn((member) => isMember(subquery, member), left);
  if (isMember(subquery, left)) return true;
  return isMember(subquery, NULL_MEMBER) ? null : false;
}

/**
 * Whether that comes to one of `truths`. Where what is unknown is like what is false, nobody is asked for members by some of their parts:
 * who keeps them would sort them for it.
 */
export function isInFor(truths: Truths, isMember: Membership, subquery: number, left: LeftSide): boolean {
  if (left === null || typeof left === 'string' || tellsUnknown(truths)) return truths.has(truthOfIn(isMember, subquery, left));
  return truths.has(!left.includes(null) && isMember(subquery, rowMember(left)) ? true : null);
}

function truthOfRowIn(isMember: (member: string) => boolean, left: readonly Key[]): Truth {
  if (!left.includes(null)) {
    if (isMember(rowMember(left))) return true;
    if (!isMember(NULL_MEMBER)) return false;
    return withNulls(left).some((parts) => isMember(rowMember(parts))) ? null : false;
  }
  const known = left.map((part) => part ?? undefined);
  if (isMember(rowPattern(known))) return null;
  return isMember(NULL_MEMBER) && withNulls(known).some((parts) => isMember(rowPattern(parts))) ? null : false;
}

/** All that has NULL in place of some of the parts; what is undefined stays so. The last one has it everywhere. */
export function withNulls<Part extends Key | undefined>(parts: readonly Part[]): readonly (readonly (Part | null)[])[] {
  const places = parts.flatMap((part, place) => (part === undefined ? [] : [place]));
  return Array.from({ length: 2 ** places.length - 1 }, (_, index) => {
    const nulls = new Set(places.filter((_place, bit) => ((index + 1) >> bit) % 2 === 1));
    return parts.map((part, place) => (nulls.has(place) ? null : part));
  });
}
