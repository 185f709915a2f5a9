/**
 * LikePattern: what LIKE matches with. No regular expression: a pattern comes from a request, and `%a%a%a%b` must not
 * cost more than its length times the text's.
 *
 * Characters are code points, as in Postgres. ILIKE takes letters that differ in case only for the same if they are
 * ASCII, which is what the collation "C" says and the printer writes. Under the collation of a database `é` would match
 * `É` too, so a pattern that is not ASCII is refused. For one that is, what the row holds besides ASCII makes no
 * difference: only U+0130 and U+212A have lower-case forms with an ASCII letter (and which, depends on the collation).
 */
export type LikePattern = readonly LikePart[];

/** No two literals stand side by side: they are one. */
type LikePart = { readonly literal: string } | 'anyCharacter' | 'anyText';

const ASCII = /^[\0-\x7f]*$/;

/** @returns undefined when the pattern ends inside an escape, or `escape` is more than one character: Postgres refuses both. */
export function parseLikePattern(text: string, escape = '\\'): LikePattern | undefined {
  if ([...escape].length > 1) return undefined;
  const parts: LikePart[] = [];
  const characters = [...text];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? '';
    if (character === escape) {
      at += 1;
      const escaped = characters[at];
      if (escaped === undefined) return undefined;
      appendLiteral(parts, escaped);
    } else if (character === '%' || character === '_') {
      parts.push(character === '%' ? 'anyText' : 'anyCharacter');
    } else {
      appendLiteral(parts, character);
    }
  }
  return parts;
}

function appendLiteral(parts: LikePart[], character: string): void {
  const last = parts.at(-1);
  if (typeof last === 'object') parts[parts.length - 1] = { literal: last.literal + character };
  else parts.push({ literal: character });
}

/** The pattern with a backslash before each literal character that needs one: the same for patterns that mean the same. */
export function printLikePattern(pattern: LikePattern): string {
  return pattern
    .map((part) => (part === 'anyText' ? '%' : part === 'anyCharacter' ? '_' : part.literal.replace(/[\\%_]/g, '\\$&')))
    .join('');
}

export function isAscii(pattern: LikePattern): boolean {
  return pattern.every((part) => typeof part === 'string' || ASCII.test(part.literal));
}

/** @returns a test of whole texts. */
export function likeMatcher(pattern: LikePattern, ignoreCase: boolean): (text: string) => boolean {
  if (!ignoreCase) return (text) => matches(pattern, text);
  const folded = pattern.map((part) => (typeof part === 'string' ? part : { literal: foldAscii(part.literal) }));
  return (text) => matches(folded, foldAscii(text));
}

function foldAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Goes back to the last `%` only: what an earlier one could take, the last one can take too. */
function matches(pattern: LikePattern, text: string): boolean {
  let [at, place] = [0, 0];
  let retryPlace = -1;
  let retryAt = 0;
  while (at < text.length) {
    const part = pattern[place];
    if (part === 'anyText') {
      place += 1;
      if (place === pattern.length) return true;
      [retryPlace, retryAt] = [place, at];
    } else if (part === 'anyCharacter') {
      at += characterSize(text, at);
      place += 1;
    } else if (part !== undefined && text.startsWith(part.literal, at)) {
      at += part.literal.length;
      place += 1;
    } else if (retryPlace >= 0) {
      retryAt += characterSize(text, retryAt);
      [place, at] = [retryPlace, retryAt];
    } else {
      return false;
    }
  }
  while (pattern[place] === 'anyText') place += 1;
  return place === pattern.length;
}

function characterSize(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}
