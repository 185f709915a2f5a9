/** What is asked of a text before the parser sees it: that it is one that the parser can take, in a time that can be waited for. */
import type { WhereRefusal } from '../where-refusal.ts';
import { tokensOf } from './grammar.ts';
import { deepCommentAt, NESTING_MAX, tooDeepAt, UNMEASURED_BYTES_MAX } from './nesting.ts';
import { costlySignsAt } from './operator-signs.ts';

/** Postgres's text cannot hold it, and a C string would end there. */
const NUL = '\0';

const encoder = new TextEncoder();

export function bytesOf(text: string): number {
  return encoder.encode(text).length;
}

/**
 * Refuses what the parser would take too long for, would overflow on, or would read the beginning of.
 *
 * @param refusalAt of a place in `sql`, in bytes.
 * @throws {WhereRefusal}
 */
export function refuseUnreadable(sql: string, refusalAt: (location: number, message: string) => WhereRefusal): void {
  const [before = '', ...behind] = sql.split(NUL, 2);
  if (behind.length > 0) throw refusalAt(bytesOf(before), 'invalid byte sequence for encoding "UTF8": 0x00');
  if (bytesOf(sql) <= UNMEASURED_BYTES_MAX) return;
  const tooDeep = `expression nests deeper than ${NESTING_MAX} levels`;
  const comment = deepCommentAt(sql);
  if (comment !== undefined) throw refusalAt(bytesOf(sql.slice(0, comment)), tooDeep);
  const signs = costlySignsAt(sql);
  if (signs !== undefined) throw refusalAt(bytesOf(sql.slice(0, signs)), 'too many operator signs in a row');
  const token = tooDeepAt(tokensOf(sql));
  if (token !== undefined) throw refusalAt(token.start, tooDeep);
}
