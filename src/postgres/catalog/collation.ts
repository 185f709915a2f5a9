/**
 * A collation by the facts of Postgres's catalogue. What is not known for certain is `language` and `unknown`, and filters that would
 * depend on it are refused.
 */
import type { Collation } from '../../model/collation.ts';

export interface CollationFacts {
  readonly name: string;
  /** As in `pg_collation`: c, i or b, for the operating system's library, ICU and Postgres's own. */
  readonly provider: string;
  /** Of the library. */
  readonly collate: string | null;
  readonly ctype: string | null;
  /** Of the other two. */
  readonly locale: string | null;
  readonly isDeterministic: boolean;
  /** Of the database. */
  readonly encoding: string;
}

const BYTES = new Set(['C', 'POSIX']);
/** By code points, and with the letters of Unicode. */
const CODE_POINTS = /^C\.utf-?8$/i;
/** Languages in which an `i` has another capital than elsewhere. */
const DOTTED_I = /^(?:tr|az|crh|ku|tt|ckb)(?:[_.@]|$)/i;
const IN_UTF8 = /\.utf-?8(?:@|$)/i;

export function collationOf(facts: CollationFacts): Collation {
  const { name, isDeterministic, encoding } = facts;
  if (encoding !== 'UTF8') return { name, order: 'language', cases: 'unknown', isDeterministic };
  return { name, isDeterministic, ...rulesOf(facts) };
}

function rulesOf({ provider, collate, ctype, locale }: CollationFacts): Pick<Collation, 'order' | 'cases'> {
  if (provider === 'b') return builtinRules(locale ?? '');
  if (provider !== 'c') return { order: 'language', cases: 'unknown' };
  const [order, letters] = [collate ?? '', ctype ?? ''];
  return { order: BYTES.has(order) || CODE_POINTS.test(order) ? 'bytes' : 'language', cases: libraryCases(letters) };
}

/** `PG_UNICODE_FAST` writes some letters as two. */
function builtinRules(locale: string): Pick<Collation, 'order' | 'cases'> {
  return { order: 'bytes', cases: BYTES.has(locale) ? 'ascii' : CODE_POINTS.test(locale) ? 'unicode' : 'unknown' };
}

function libraryCases(ctype: string): Collation['cases'] {
  if (BYTES.has(ctype)) return 'ascii';
  return IN_UTF8.test(ctype) && !DOTTED_I.test(ctype) ? 'unicode' : 'unknown';
}
