/** A filter told node by node: it comes to what the filter itself comes to, whatever the row, and each part to what it says. */
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import { EvaluationError } from '../../src/sql/evaluation-error.ts';
import type { SubsetLanguage } from '../../src/sql/subset.ts';
import { NODES_MAX, type ExplainedNode, type ExplainLanguage, type WhereExplanation } from '../../src/sql/where-explanation.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { Membership, SubqueryTables, WhereColumn, WhereLanguage } from '../../src/sql/where.ts';
import { membersOf, membersOfRows } from '../support/shapes/subquery-filter.ts';
import { rowArbitrary, sampleColumns, samples, whereArbitrary, whereWithSubqueries, type Written } from '../support/where-expressions.ts';

const COLUMNS: readonly WhereColumn[] = [
  ['id', 'int4'], ['parent', 'int4'], ['title', 'text'], ['done', 'bool'], ['price', 'numeric'], ['at', 'timestamptz'],
].map(([name = '', typeName = '']) => ({ name, typeName, dimensions: 0 }));
const SAMPLES = { schema: 'public', name: 'samples' };
const tables: SubqueryTables = () => sampleColumns;

let language: WhereLanguage & SubsetLanguage & ExplainLanguage;

beforeAll(async () => {
  language = await loadWhereLanguage();
});

type Texts = Readonly<Record<string, string | null>>;

function explained(text: string, row: Texts, isMember?: Membership): Told {
  const explanation = language.explanation(text, {}, COLUMNS, () => COLUMNS, {}, { schema: 'public', name: 'items' });
  invariant(!('error' in explanation), `the language accepts ${text}`);
  return explanation.explain((column) => row[column] ?? null, isMember);
}

/** As one line for each node: how deep, what it says, what it comes to, and whether the filter asks it. */
function linesOf({ text, result, isAsked, parts }: ExplainedNode, depth = 0): readonly string[] {
  const line = `${'  '.repeat(depth)}${text} ${result.kind} ${saidBy(result)}${isAsked ? '' : ' (not asked)'}`;
  return [line, ...parts.flatMap((part) => linesOf(part, depth + 1))];
}

function saidBy(result: ExplainedNode['result']): string {
  switch (result.kind) {
    case 'truth':
      return String(result.truth ?? 'unknown');
    case 'value':
      return String(result.value);
    case 'error':
      return result.error.message;
    case 'untold':
      return '';
  }
}

test('each part is told with what it says and what it comes to', () => {
  const { verdict, root } = explained("title = 'it''s' AND (price > 1.5 OR NOT done) AND at IS NULL", {
    title: "it's", price: null, done: 't', at: null,
  });

  expect({ verdict, lines: linesOf(root) }).toEqual({
    verdict: null,
    lines: [
      `(("title" = 'it''s') AND (("price" > 1.5) OR (NOT "done")) AND ("at" IS NULL)) truth unknown`,
      `  ("title" = 'it''s') truth true`,
      `    "title" value it's`,
      `  (("price" > 1.5) OR (NOT "done")) truth unknown`,
      `    ("price" > 1.5) truth unknown`,
      `      "price" value null`,
      `    (NOT "done") truth false`,
      `      "done" truth true`,
      `  ("at" IS NULL) truth true`,
      `    "at" value null`,
    ],
  });
});

test('what the filter does not come to is told by itself, an error too, and is said not to be asked', () => {
  const { verdict, root } = explained('id <> 0 AND 10 / id > 2', { id: '0' });

  expect({ verdict, lines: linesOf(root).slice(0, 4) }).toEqual({
    verdict: false,
    lines: [
      '(("id" <> 0) AND ((10 / "id") > 2)) truth false',
      '  ("id" <> 0) truth false',
      '    "id" value 0',
      '  ((10 / "id") > 2) error division by zero (not asked)',
    ],
  });
});

test('an error of the filter is its verdict', () => {
  expect(explained('10 / id > 2 OR done', { id: '0', done: 't' }).verdict).toEqual({ code: '22012', message: 'division by zero' });
});

test.each([
  ['nothing', [], false, false], ['the value', ['2'], true, true], ['NULL', ['1', null], null, false],
])('a subquery is told in its three values, with what is looked for: selected %s', (_, selected, truth, isTaken) => {
  const { verdict, root } = explained('parent IN (SELECT id FROM items WHERE done)', { parent: '2' }, membersOf(membersOfRows(selected)));

  expect({ verdict, root }).toEqual({
    verdict: isTaken,
    root: expect.objectContaining({
      text: '(("parent" IN (SELECT "id" FROM "public"."items" WHERE "done")) IS TRUE)',
      parts: [expect.objectContaining({ result: { kind: 'truth', truth }, subquery: { number: 0, left: '2' } })],
    }),
  });
});

test('of a filter with more parts than are told, the rest is counted', () => {
  const text = Array.from({ length: 2 * NODES_MAX }, (_, id) => `id = ${id}`).join(' OR ');
  const { root } = explained(text, { id: '-1' });
  const count = (node: ExplainedNode): number => node.parts.reduce((sum, part) => sum + count(part), node.parts.length);

  expect([count(root), root.parts.length + root.partsLeftOut]).toEqual([NODES_MAX, 2 * NODES_MAX]);
});

test('long texts and values end early', () => {
  const { root } = explained(`title = '${'x'.repeat(5000)}'`, { title: '\u{1F600}'.repeat(5000) });

  expect([root.text.length < 300, root.parts.map(({ result }) => (result.kind === 'value' ? result.value?.length : undefined))])
    .toEqual([true, [1001]]);
});

test('a text is of the type that its column has anywhere in the filter', () => {
  const explanation = language.explanation('id = 1 OR id IS NULL', {}, COLUMNS);
  invariant(!('error' in explanation), 'the filter is accepted');
  expect(explanation.spelt('id', 'x')).toBe(undefined);
});

test.each([['id', '07', '7'], ['id', 'x', undefined], ['done', 'yes', 't'], ['title', ' a ', ' a '], ['other', 'x', 'x']])(
  'a text for the column %s, %s, is spelt %s',
  (column, text, spelt) => {
    const explanation = language.explanation("id = 1 AND done AND title = ''", {}, COLUMNS);
    invariant(!('error' in explanation), 'the filter is accepted');

    expect(explanation.spelt(column, text)).toBe(spelt);
  },
);

describe('of any filter and any row,', () => {
  /** Nothing is known of what selects these; each is there or not, always alike. */
  const memberOf = (salt: number): Membership => (subquery, member) =>
    [...`${salt}${subquery}${member}`].reduce((sum, character) => sum + character.charCodeAt(0), 0) % 3 === 0;
  const written = fc.oneof(whereArbitrary, whereWithSubqueries);

  test('the verdict is the filter\'s own, and AND and OR are what the parts say that are asked', () => {
    fc.assert(fc.property(written, rowArbitrary, fc.nat(9), (where, values, salt) => {
      const row = Object.fromEntries(samples.map(({ column }, index) => [column, values[index] ?? null]));
      const [ours, told] = both(where, row, memberOf(salt));

      expect(told?.verdict).toEqual(ours);
      if (told !== undefined) expect(inconsistent(told.root)).toEqual([]);
    }), { numRuns: 400 });
  });
});

type Told = ReturnType<WhereExplanation['explain']>;
type Verdict = Told['verdict'];

function both({ text, params }: Written, row: Texts, isMember: Membership): [Verdict | undefined, Told | undefined] {
  const named = Object.fromEntries(params.map((value, index) => [index + 1, value]));
  const where = language.parse(text, named, sampleColumns, tables, {}, SAMPLES);
  const explanation = language.explanation(text, named, sampleColumns, tables, {}, SAMPLES);
  if ('error' in where || 'error' in explanation) {
    return ['error' in where ? undefined : null, 'error' in explanation ? undefined : explanation.explain(() => null, isMember)];
  }
  const valueOf = (column: string): string | null => row[column] ?? null;
  return [verdictOf(() => where.evaluate(valueOf, isMember)), explanation.explain(valueOf, isMember)];
}

function verdictOf(evaluate: () => boolean | null): Verdict {
  try {
    return evaluate();
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return { code: error.code, message: error.message };
  }
}

/** Texts of nodes that are asked, and come to something else than their parts. */
function inconsistent(node: ExplainedNode): readonly string[] {
  const below = node.parts.flatMap(inconsistent);
  const logic = / (AND|OR) /.exec(node.text);
  if (!node.isAsked || logic === null || node.parts.length < 2 || node.parts.some(({ result }) => result.kind !== 'truth')) return below;
  const isOr = isJoined(node, 'OR');
  if (!isOr && !isJoined(node, 'AND')) return below;
  const asked = node.parts.filter(({ isAsked }) => isAsked).map(({ result }) => (result.kind === 'truth' ? result.truth : null));
  const expected = asked.includes(isOr) ? isOr : asked.includes(null) ? null : !isOr;
  return node.result.kind === 'truth' && node.result.truth === expected ? below : [...below, node.text];
}

function isJoined({ text, parts }: ExplainedNode, word: 'AND' | 'OR'): boolean {
  return text === `(${parts.map((part) => part.text).join(` ${word} `)})`;
}
