/**
 * The WHERE of a subquery as it was written, so that it is a filter of its own: cut out of the text by its tokens, since the
 * parser says where an expression begins at best, and never where it ends.
 */
import type { ScanToken } from 'libpg-query';
import { invariant } from '../../base/invariant.ts';
import { trimSpace } from '../values/white-space.ts';

const COMMENTS = new Set(['SQL_COMMENT', 'C_COMMENT']);

export interface SubqueryText {
  readonly where: string;
  /** Numbers of the parameters that it names, each once. */
  readonly parameters: readonly number[];
}

/**
 * @param tokens of `sql`, a text that was parsed.
 * @param location of the IN of a subquery that has a WHERE.
 */
export function subqueryText(sql: string, tokens: readonly ScanToken[], location: number): SubqueryText {
  const [start, end] = boundsOf(tokens.filter(({ tokenName, start: at }) => at > location && !COMMENTS.has(tokenName)));
  const within = tokens.filter((token) => token.tokenName === 'PARAM' && token.start >= start && token.end <= end);
  return {
    where: trimSpace(new TextDecoder().decode(new TextEncoder().encode(sql).subarray(start, end))),
    parameters: [...new Set(within.map(({ text }) => Number(text.slice(1))))],
  };
}

/** From behind its WHERE to the bracket that closes it; a SELECT may stand in more than one pair. */
function boundsOf(tokens: readonly ScanToken[]): readonly [start: number, end: number] {
  let depth = 0;
  let selectDepth: number | undefined;
  let start: number | undefined;
  for (const [index, token] of tokens.entries()) {
    const word = token.text.toLowerCase();
    if (word === 'select') selectDepth ??= depth;
    if (word === ')' && depth === selectDepth && start !== undefined) return [start, token.start];
    // Behind a dot it is the name of a table.
    if (word === 'where' && depth === selectDepth && tokens[index - 1]?.text !== '.') start ??= token.end;
    if (word === '(') depth += 1;
    if (word === ')') depth -= 1;
  }
  invariant(false, 'a subquery that was parsed has its WHERE between brackets');
}
