/**
 * Conjunction: two filters, each of them a whole clause, as the text of one that takes what both take.
 *
 * Each keeps its words. What tells them apart are the scanner's tokens, never a search in the text: a `$1` in a string or in a comment
 * is no parameter, and a comment at the end of a text would swallow what closes it.
 */
import type { ScanToken } from 'libpg-query';
import { tokensOf } from './syntax/grammar.ts';
import type { WrittenFilter } from './where.ts';

/** @param left whose parameters keep their numbers. Both were parsed before: neither closes a bracket that it has not opened. */
export function conjunction(left: WrittenFilter, right: WrittenFilter): WrittenFilter {
  const count = Object.keys(left.params).length;
  const shifted = Object.entries(right.params).map(([number, text]) => [String(Number(number) + count), text]);
  return {
    text: `(${left.text}\n) AND (${renumbered(right.text, count)}\n)`,
    params: { ...left.params, ...Object.fromEntries(shifted) },
  };
}

/** Places of tokens are bytes. */
function renumbered(text: string, by: number): string {
  const bytes = new TextEncoder().encode(text);
  const textOf = (start: number, end?: number): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(start, end));
  const pieces: string[] = [];
  let from = 0;
  for (const { start, end } of tokensOf(text).filter(isParameter)) {
    pieces.push(textOf(from, start), `$${Number(textOf(start + 1, end)) + by}`);
    from = end;
  }
  return [...pieces, textOf(from)].join('');
}

function isParameter({ tokenName }: ScanToken): boolean {
  return tokenName === 'PARAM';
}
