/**
 * Letters in upper and lower case. Which letters have both is for a collation to say: "C" knows those of ASCII alone; others that are
 * written in UTF-8 know Unicode's, one letter for one letter.
 */
import { EvaluationError } from '../evaluation-error.ts';

export interface Cases {
  lower(text: string): string;
  upper(text: string): string;
  /** The text, as SQL, under a collation that has these cases. */
  collated(sql: string): string;
}

const ASCII = /^[\0-\x7f]*$/;
/** Their cases came to Unicode with version 11 or later: whether Postgres knows them depends on what it was built or runs with. */
const RECENT = new RegExp(
  [
    '\\u0264\\u0282\\u019b\\u1d8e\\u10d0-\\u10ff\\u1c89\\u1c8a\\u1c90-\\u1cbf\\u2c2f\\u2c5f',
    '\\ua794\\ua7ae\\ua7b8\\ua7b9\\ua7ba-\\ua7dc\\ua7f5\\ua7f6',
    '\\u{10570}-\\u{105bc}\\u{10d50}-\\u{10d85}\\u{16e40}-\\u{16e7f}\\u{16ea0}-\\u{16ed3}',
  ].reduce((all, range) => all + range, '[') + ']',
  'u',
);
/** Upper-case letters that are one letter, although Unicode's full rules write them as two. */
const IOTA_SUBSCRIPTS: ReadonlyMap<string, string> = new Map([
  ...[0x1f80, 0x1f90, 0x1fa0].flatMap((block) => Array.from({ length: 8 }, (_, at) => pair(block + at, block + at + 8))),
  pair(0x1fb3, 0x1fbc), pair(0x1fc3, 0x1fcc), pair(0x1ff3, 0x1ffc),
]);
const DOTTED_I = '\u0130';

export const ASCII_CASES: Cases = {
  lower: (text) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()),
  upper: (text) => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase()),
  collated: (sql) => `${sql} COLLATE "C"`,
};

/** Where the collation is not known: "C" is written into the query then. */
export const ASSUMED_CASES: Cases = { ...ASCII_CASES };

export const UNICODE_CASES: Cases = {
  lower: (text) => (ASCII.test(text) ? text.toLowerCase() : mapped(text, lowerOf)),
  upper: (text) => (ASCII.test(text) ? text.toUpperCase() : mapped(text, upperOf)),
  collated: (sql) => sql,
};

function mapped(text: string, letter: (character: string) => string): string {
  const recent = RECENT.exec(text);
  if (recent !== null) {
    const codePoint = (recent[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    throw new EvaluationError('0A000', `the case of U+${codePoint} depends on the version of Unicode`);
  }
  return [...text].map(letter).join('');
}

function lowerOf(character: string): string {
  return character === DOTTED_I ? 'i' : character.toLowerCase();
}

function upperOf(character: string): string {
  const upper = character.toUpperCase();
  return upper.length === character.length ? upper : (IOTA_SUBSCRIPTS.get(character) ?? character);
}

function pair(lower: number, upper: number): [string, string] {
  return [String.fromCodePoint(lower), String.fromCodePoint(upper)];
}
