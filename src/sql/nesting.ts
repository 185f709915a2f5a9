/**
 * How deep a filter may nest. The parser's tree is written out by recursion: a hostile text of 64 KiB can overflow the
 * stack inside of WebAssembly, which never gives that stack back, so that thirty such requests would end the parser
 * for everybody. Hence a text is measured, by its tokens, before it is parsed.
 *
 * The measure errs on the side of more. Tokens make a level deeper; AND, OR and commas begin anew, since what they
 * join lies side by side; but tokens that could build a chain across them (BETWEEN, UNION, JOIN, …), that is all but the
 * plain ones, count for the whole bracket.
 */
import type { ScanToken } from 'libpg-query';

export const NESTING_MAX = 500;
/** A text no longer than this cannot nest deeper than the limit by much: no need to measure it. */
export const UNMEASURED_BYTES_MAX = 1000;

interface Bracket {
  /** The deepest of what was joined by AND, OR or commas so far. */
  deepest: number;
  /** Tokens since the last of those. */
  chain: number;
  /** The deepest bracket within that chain. */
  within: number;
  /** Tokens that count until the bracket closes. */
  standing: number;
}

const SEPARATORS = new Set(['and', 'or', ',']);
const OPENING = new Set(['(', '[', 'case']);
const CLOSING = new Set([')', ']', 'end']);
const VALUES = new Set(['IDENT', 'ICONST', 'FCONST', 'SCONST', 'PARAM']);
const COMMENTS = new Set(['SQL_COMMENT', 'C_COMMENT']);
/** Words and signs of comparisons, which AND and OR put side by side. */
const PLAIN = new Set([
  'null', 'true', 'false', 'unknown', 'is', 'not', 'in', 'like', 'ilike', 'distinct', 'from',
  '=', '<>', '!=', '<', '>', '<=', '>=', '.', '::',
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
  const brackets: Bracket[] = [emptyBracket()];
  return tokens.find((token) => step(brackets, token) > NESTING_MAX);
}

/** @returns how deep the text may lie after this token. */
function step(brackets: Bracket[], { text, tokenName }: ScanToken): number {
  const current = brackets.at(-1) ?? emptyBracket();
  const word = text.toLowerCase();
  if (VALUES.has(tokenName) || PLAIN.has(word)) {
    current.chain += 1;
  } else if (OPENING.has(word)) {
    brackets.push(emptyBracket());
  } else if (CLOSING.has(word) && brackets.length > 1) {
    brackets.pop();
    const outer = brackets.at(-1) ?? current;
    outer.within = Math.max(outer.within, depthOf(current));
  } else if (SEPARATORS.has(word)) {
    current.deepest = Math.max(current.deepest, current.chain + current.within);
    current.chain = 0;
    current.within = 0;
  } else if (!COMMENTS.has(tokenName)) {
    current.standing += 1;
  }
  return brackets.length + depthOf(brackets.at(-1) ?? current);
}

function depthOf({ deepest, chain, within, standing }: Bracket): number {
  return 1 + standing + Math.max(deepest, chain + within);
}

function emptyBracket(): Bracket {
  return { deepest: 0, chain: 0, within: 0, standing: 0 };
}
