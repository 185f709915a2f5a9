/**
 * LikePattern: what LIKE matches with. No regular expression: a pattern comes from a request, and `%a%a%a%b` must not
 * cost more than its length times the text's.
 *
 * Characters are code points, as in Postgres. ILIKE compares both sides in lower case, and which letters have one is for the
 * collation to say (`Cases`).
 */
import { EvaluationError } from '../evaluation-error.ts';
import type { Cases } from '../operations/cases.ts';
import { characterSize } from '../values/characters.ts';
import { spend, spendOn } from '../work.ts';

export type LikePattern = readonly LikePart[];

/** No two literals stand side by side: they are one. `openEscape` ends a pattern that Postgres refuses as soon as a text gets there. */
type LikePart = { readonly literal: string } | 'anyCharacter' | 'anyText' | 'openEscape';

const ASCII = /^[\0-\x7f]*$/;
const TOO_LONG = 'a text and its LIKE pattern are too long';
/** Of a literal, and of a text in which one is looked for, in the time of a step. */
const [LITERAL_CHARACTERS_AT_ONCE, SEARCHED_CHARACTERS_AT_ONCE] = [8, 64];

/** @param escape one character, or none. */
export function parseLikePattern(text: string, escape = '\\'): LikePattern {
  const parts: LikePart[] = [];
  const characters = [...text];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? '';
    if (character === escape) {
      at += 1;
      const escaped = characters[at];
      if (escaped === undefined) parts.push('openEscape');
      else appendLiteral(parts, escaped);
    } else if (character === '%' || character === '_') {
      parts.push(character === '%' ? 'anyText' : 'anyCharacter');
    } else {
      appendLiteral(parts, character);
    }
  }
  return parts;
}

export function isOpen(pattern: LikePattern): boolean {
  return pattern.at(-1) === 'openEscape';
}

/** The pattern with a backslash for `escape`; undefined when that is more than one character. */
export function escapedPattern(pattern: string, escape: string): string | undefined {
  return [...escape].length > 1 ? undefined : printLikePattern(parseLikePattern(pattern, escape));
}

function appendLiteral(parts: LikePart[], character: string): void {
  const last = parts.at(-1);
  if (typeof last === 'object') parts[parts.length - 1] = { literal: last.literal + character };
  else parts.push({ literal: character });
}

const SIGNS = { anyText: '%', anyCharacter: '_', openEscape: '\\' };

/** The pattern with a backslash before each literal character that needs one: the same for patterns that mean the same. */
export function printLikePattern(pattern: LikePattern): string {
  return pattern
    .map((part) => (typeof part === 'object' ? part.literal.replace(/[\\%_]/g, '\\$&') : SIGNS[part]))
    .join('');
}

export function isAscii(pattern: LikePattern): boolean {
  return pattern.every((part) => typeof part === 'string' || ASCII.test(part.literal));
}

/**
 * @param cases of ILIKE.
 * @returns a test of whole texts. It throws an EvaluationError where a text gets to an open escape.
 */
export function likeMatcher(pattern: LikePattern, cases?: Cases): (text: string) => boolean {
  if (cases === undefined) return (text) => matches(pattern, text);
  const folded = pattern.map((part) => (typeof part === 'string' ? part : { literal: cases.lower(part.literal) }));
  return (text) => {
    spendOn(text);
    return matches(folded, cases.lower(text));
  };
}

/**
 * Goes back to the last `%` only: what an earlier one could take, the last one can take too.
 *
 * @throws {EvaluationError} when it takes too long.
 */
function matches(pattern: LikePattern, text: string): boolean {
  let [at, place] = [0, 0];
  let retryPlace = -1;
  let retryAt = 0;
  while (at < text.length) {
    spend(1, TOO_LONG);
    const part = pattern[place];
    if (part === 'anyText') {
      place = behindAnyText(pattern, place);
      if (place === pattern.length) return true;
      [retryPlace, retryAt] = [place, at];
    } else if (part === 'openEscape') {
      throw new EvaluationError('22025', 'LIKE pattern must not end with escape character');
    } else if (part === 'anyCharacter') {
      at += characterSize(text, at);
      place += 1;
    } else if (part !== undefined && place === retryPlace) {
      retryAt = text.indexOf(part.literal, at);
      spend(((retryAt < 0 ? text.length : retryAt) - at) / SEARCHED_CHARACTERS_AT_ONCE, TOO_LONG);
      if (retryAt < 0) return false;
      at = retryAt + part.literal.length;
      place += 1;
    } else if (part !== undefined && text.startsWith(part.literal, at)) {
      spend(part.literal.length / LITERAL_CHARACTERS_AT_ONCE, TOO_LONG);
      at += part.literal.length;
      place += 1;
    } else if (retryPlace >= 0) {
      spend((part?.literal.length ?? 0) / LITERAL_CHARACTERS_AT_ONCE, TOO_LONG);
      retryAt += characterSize(text, retryAt);
      [place, at] = [retryPlace, retryAt];
    } else {
      return false;
    }
  }
  return behindAnyText(pattern, place) === pattern.length;
}

function behindAnyText(pattern: LikePattern, place: number): number {
  let behind = place;
  while (pattern[behind] === 'anyText') behind += 1;
  return behind;
}
