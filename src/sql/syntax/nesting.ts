/**
 * How deep a filter may nest. The parser's tree is written out by recursion: a hostile text of 64 KiB can overflow the
 * stack inside of WebAssembly, which never gives that stack back, so that thirty such requests would end the parser
 * for everybody. Hence a text is measured, by its tokens, before it is parsed.
 *
 * The measure errs on the side of more. What makes an expression deeper is a sign, a word or a bracket, never a value; the sign
 * between two values counts half, since its level costs the least. OR, commas, the branches of a CASE and AND, but for that of a
 * BETWEEN, begin anew, since what they join lies side by side. A word that no expression has (UNION, JOIN, …) could build a chain
 * across all of these, and counts for the whole bracket.
 */
import type { ScanToken } from 'libpg-query';

export const NESTING_MAX = 500;
/** A text no longer than this cannot nest deeper than the limit by much: no need to measure it. */
export const UNMEASURED_BYTES_MAX = 1000;

interface Bracket {
  readonly isCase: boolean;
  /** The deepest of what lies side by side so far. */
  deepest: number;
  /** Levels since the last of those began. */
  chain: number;
  /** The deepest bracket within that chain. */
  within: number;
  /** Those that count until the bracket closes. */
  standing: number;
  /** How many BETWEEN wait for their AND. */
  bounds: number;
}

const SEPARATORS = new Set(['or', ',']);
const BRANCHES = new Set(['when', 'then', 'else']);
const OPENING = new Set(['(', '[', 'case']);
const CLOSING = new Set([')', ']', 'end']);
const VALUES = new Set(['IDENT', 'ICONST', 'FCONST', 'SCONST', 'PARAM']);
const COMMENTS = new Set(['SQL_COMMENT', 'C_COMMENT']);
/** Of an operator between two values, or before one. */
const SIGN = /^[~!@#^&|`?+\-*/%<>=]+$/;
const SIGN_LEVELS = 0.5;
/** Words that only an expression has, or the direction in which one is sorted by. */
const PLAIN = new Set([
  'null', 'true', 'false', 'unknown', 'is', 'not', 'in', 'like', 'ilike', 'distinct', 'from', 'between', 'symmetric', 'escape',
  'any', 'some', 'all', 'array', 'at', 'time', 'zone', '.', '::', 'asc', 'desc', 'nulls', 'first', 'last',
]);

const COMMENT_MARK = /\/\*|\*\//g;

/**
 * Comments nest as well, and the scanner looks each time for the end of the outermost: 16,000 of them keep it for
 * seconds. So they are counted before it sees the text; in a string that holds their marks, too many may be.
 *
 * @returns where the comment begins that lies too deep; undefined when none does.
 */
export function deepCommentAt(text: string): number | undefined {
  let depth = 0;
  for (const { 0: mark, index } of text.matchAll(COMMENT_MARK)) {
    depth = mark === '/*' ? depth + 1 : Math.max(0, depth - 1);
    if (depth > NESTING_MAX) return index;
  }
  return undefined;
}

/** The token at which `tokens` nest too deeply; undefined when they do not. */
export function tooDeepAt(tokens: readonly ScanToken[]): ScanToken | undefined {
  const brackets: Bracket[] = [emptyBracket(false)];
  return tokens.find((token) => step(brackets, token) > NESTING_MAX);
}

/** @returns how deep the text may lie after this token. */
function step(brackets: Bracket[], { text, tokenName }: ScanToken): number {
  const current = brackets.at(-1) ?? emptyBracket(false);
  const word = text.toLowerCase();
  if (OPENING.has(word)) {
    brackets.push(emptyBracket(word === 'case'));
  } else if (CLOSING.has(word) && brackets.length > 1) {
    brackets.pop();
    const outer = brackets.at(-1) ?? current;
    outer.within = Math.max(outer.within, depthOf(current));
  } else if (separates(word, current)) {
    Object.assign(current, { deepest: Math.max(current.deepest, current.chain + current.within), chain: 0, within: 0, bounds: 0 });
  } else if (word === 'and') {
    current.bounds -= 1;
  } else if (SIGN.test(word)) {
    current.chain += SIGN_LEVELS;
  } else if (PLAIN.has(word)) {
    current.chain += 1;
    if (word === 'between') current.bounds += 1;
  } else if (!VALUES.has(tokenName) && !COMMENTS.has(tokenName)) {
    current.standing += 1;
  }
  return brackets.length + depthOf(brackets.at(-1) ?? current);
}

function separates(word: string, { isCase, bounds }: Bracket): boolean {
  return SEPARATORS.has(word) || (word === 'and' && bounds === 0) || (isCase && BRANCHES.has(word));
}

function depthOf({ deepest, chain, within, standing }: Bracket): number {
  return 1 + standing + Math.max(deepest, chain + within);
}

function emptyBracket(isCase: boolean): Bracket {
  return { isCase, deepest: 0, chain: 0, within: 0, standing: 0, bounds: 0 };
}
