/**
 * The WHERE of a subquery as it was written, so that it is a filter of its own: cut out of the text by its tokens, since the
 * parser says where an expression begins at best, and never where it ends.
 */
import type { ScanToken } from 'libpg-query';
import { invariant } from '../../base/invariant.ts';
import type { Subquery, WrittenColumn } from '../expression.ts';
import { trimSpace } from '../values/white-space.ts';

const COMMENTS = new Set(['SQL_COMMENT', 'C_COMMENT']);

export interface SubqueryText {
  readonly where: string;
  /** Numbers of the parameters that it names, each once. */
  readonly parameters: readonly number[];
}

/** In bytes of the parsed text. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly sql: string;
}

/**
 * @param tokens of `sql`, a text that was parsed.
 * @param subquery that has more of a WHERE than its correlations.
 */
export function subqueryText(sql: string, tokens: readonly ScanToken[], { location, alone }: Subquery): SubqueryText {
  const behind = tokens.filter(({ tokenName, start }) => start > location && !COMMENTS.has(tokenName));
  const [start, end] = boundsOf(behind);
  const within = behind.filter((token) => token.start >= start && token.end <= end);
  const leftOut = leftOutOf(within, alone.correlations);
  const renamed = alone.renamed.filter((column) => column.location >= start).map((column) => {
    // A blank, so that it does not become one word with what stands before it.
    return { start: column.location, end: within[lastOf(within, column)]?.end ?? end, sql: ` ${column.sql}` };
  });
  const parameters = within.filter(({ tokenName }) => tokenName === 'PARAM').map(({ text }) => Number(text.slice(1)));
  return { where: trimSpace(edited(sql, start, end, [...leftOut, ...renamed])), parameters: [...new Set(parameters)] };
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

/** Each equality as it stands when those before it are gone: what one leaves in its brackets goes with another. */
function leftOutOf(tokens: readonly ScanToken[], correlations: Subquery['alone']['correlations']): readonly Edit[] {
  let left = tokens;
  return correlations.map((sides) => {
    const edit = equalityOf(left, ...sides);
    left = left.filter(({ start }) => start < edit.start || start >= edit.end);
    return edit;
  });
}

/** The equality with all brackets around it, and the AND on one side. */
function equalityOf(tokens: readonly ScanToken[], left: WrittenColumn, right: WrittenColumn): Edit {
  const word = (index: number): string | undefined => tokens[index]?.text.toLowerCase();
  let [first, last] = [indexOf(tokens, left), lastOf(tokens, right)];
  const [closed, opened] = unpairedIn(tokens.slice(first, last));
  [first, last] = [first - closed, last + opened];
  while (word(first - 1) === '(' && word(last + 1) === ')') [first, last] = [first - 1, last + 1];
  if (word(first - 1) === 'and') first -= 1;
  else if (word(last + 1) === 'and') last += 1;
  const [begin, end] = [tokens[first], tokens[last]];
  invariant(begin !== undefined && end !== undefined, 'brackets around an equality are closed');
  return { start: begin.start, end: end.end, sql: ' ' };
}

/** How many brackets are closed that were opened before, and how many are left open: those of an `OPERATOR(…)` are neither. */
function unpairedIn(tokens: readonly ScanToken[]): readonly [closed: number, opened: number] {
  let [closed, opened] = [0, 0];
  for (const { text } of tokens) {
    if (text === '(') opened += 1;
    if (text !== ')') continue;
    if (opened > 0) opened -= 1;
    else closed += 1;
  }
  return [closed, opened];
}

function indexOf(tokens: readonly ScanToken[], { location }: WrittenColumn): number {
  const index = tokens.findIndex(({ start }) => start === location);
  invariant(index >= 0, 'a column begins with a token');
  return index;
}

/** The index of its last token. A name in Unicode escapes may be followed by its own escape character. */
function lastOf(tokens: readonly ScanToken[], column: WrittenColumn): number {
  const first = indexOf(tokens, column);
  const lengthOf = (at: number): number => (tokens[at + 1]?.text.toLowerCase() === 'uescape' ? 3 : 1);
  let end = first + lengthOf(first);
  for (let names = 1; names < column.names; names += 1) end += 1 + lengthOf(end + 1);
  return end - 1;
}

function edited(sql: string, start: number, end: number, edits: readonly Edit[]): string {
  const bytes = new TextEncoder().encode(sql);
  const pieces: string[] = [];
  let from = start;
  for (const edit of [...edits].sort((left, right) => left.start - right.start)) {
    if (edit.start < from) continue; // It stands within one that is left out.
    pieces.push(new TextDecoder().decode(bytes.subarray(from, edit.start)), edit.sql);
    from = edit.end;
  }
  return [...pieces, new TextDecoder().decode(bytes.subarray(from, end))].join('');
}
