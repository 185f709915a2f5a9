/**
 * The filter index against its judge, the filters themselves: whatever shapes come and go and whatever is written, it names exactly
 * the shapes whose filter takes the old or the new row, or has an error in one of them.
 */
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import type { RelationLayout } from '../../src/model/relation.ts';
import { ShapeRouter } from '../../src/shapes/shape-router.ts';
import { EvaluationError } from '../../src/sql/evaluation-error.ts';
import { isTypeName } from '../../src/sql/values/type-names.ts';
import { VALUE_TYPES } from '../../src/sql/values/value-types.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { Where, WhereLanguage } from '../../src/sql/where.ts';
import { blockOf, transactionOf, type Row, type RowChange } from '../support/actors/changes.ts';
import { routeWhole } from '../support/route-whole.ts';
import { handleOf, shapeOf } from '../support/shapes.ts';
import { expressionOf } from '../support/typed-expressions.ts';
import { rowArbitrary, sampleColumns, samples } from '../support/where-expressions.ts';

const layout: RelationLayout = {
  id: 1, oid: 4711, schema: 'public', name: 'samples',
  columns: samples.map(({ column }) => ({ name: column, typeOid: 25, typeMod: -1 })),
};

let language: WhereLanguage;

beforeAll(async () => {
  language = await loadWhereLanguage();
});

const word = fc.constantFrom('', 'a', 'A', 'ab', 'é', 'z').map((text) => `'${text}'`);
const integer = fc.constantFrom('-1', '0', '1', '2', '7');
const list = (item: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(fc.oneof({ weight: 6, arbitrary: item }, fc.constant('NULL')), { minLength: 1, maxLength: 3 }).map((items) => items.join(', '));
const textColumn = fc.constantFrom('words', 'more', 'label');
const intColumn = fc.constantFrom('plain', 'other', 'small');

/** `{…}` holds what one of the arbitraries gives. */
function forms(templates: readonly string[]): fc.Arbitrary<string> {
  const parts: Readonly<Record<string, fc.Arbitrary<string>>> = {
    word, integer, words: list(word), integers: list(integer), text: textColumn, int: intColumn,
  };
  return fc.constantFrom(...templates).chain((template) => {
    const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => parts[name] ?? fc.constant(name));
    return fc.tuple(...names).map((filled) => {
      let at = 0;
      return template.replaceAll(/\{\w+\}/g, () => filled[at++] ?? '');
    });
  });
}

const lookedUp = forms([
  '{text} = {word}', '{word} = {text}', '{text} IN ({words})', '{text} = ANY (ARRAY[{words}]::text[])', '{int} = {integer}',
  '{int} IN ({integers})', '{int} = ANY (ARRAY[{integers}]::int4[])', 'lower({text}) = {word}', 'upper({text}) IN ({words})',
  "{text} || 'a' = {word}", 'concat({text}, {int}) = {word}', '{int} + 1 = {integer}', 'tags @> ARRAY[{words}]::text[]',
  'ARRAY[{words}]::text[] <@ tags', 'tags && ARRAY[{words}]::text[]', '{word} = ANY (tags)', '{integer} = ANY (numbers)',
  'numbers @> ARRAY[{integers}]::int4[]', 'flag', '({text} = {word}) IS TRUE', 'numbers = ARRAY[{integers}]::int4[]', '{int} = NULL',
]);
/** With errors: in the key of the look-up, or beside it. */
const erring = forms([
  '100 / {int} = {integer}', '{int} + 2147483647 = {integer}', '({text})::int4 = {integer}', '10 % {int} > {integer}',
  '({text})::int4 IN ({integers})', '({text})::text[] @> ARRAY[{words}]', "lower({text} || '\u0264') = {word}", '{integer} / {int} > 0',
]);
const asked = forms(['{text} LIKE {word}', '{int} > {integer}', '{text} IS NULL', 'tags <@ ARRAY[{words}]::text[]', '{int} <> {integer}']);

function filterOf(depth: number): fc.Arbitrary<string> {
  const leaf = fc.oneof(
    { weight: 6, arbitrary: lookedUp }, { weight: 2, arbitrary: erring }, { weight: 2, arbitrary: asked },
    { weight: 1, arbitrary: expressionOf('bool', 2) },
  );
  if (depth === 0) return leaf;
  const inner = filterOf(depth - 1);
  const joined = (word: string) => fc.array(inner.map((part) => `(${part})`), { minLength: 2, maxLength: 3 }).map((all) => all.join(word));
  return fc.oneof(
    { weight: 2, arbitrary: leaf },
    { weight: 4, arbitrary: joined(' AND ') },
    { weight: 3, arbitrary: joined(' OR ') },
    inner.map((part) => `NOT (${part})`),
  );
}

/** As Postgres would send it. */
const row: fc.Arbitrary<Row> = rowArbitrary.map((values) => values.map((value, index) => {
  const type = samples[index]?.type ?? '';
  invariant(isTypeName(type), 'samples have types of filters');
  const parsed = value === null ? undefined : VALUE_TYPES[type].parse(value);
  return parsed === undefined ? null : VALUE_TYPES[type].print(parsed);
}));

const change: fc.Arbitrary<RowChange> = fc.oneof(
  row.map((current): RowChange => ({ kind: 'insert', new: current })),
  row.map((old): RowChange => ({ kind: 'delete', old })),
  fc.tuple(row, row).map(([old, current]): RowChange => ({ kind: 'update', old, new: current })),
  // Most updates touch one column.
  fc.tuple(row, row, fc.nat(samples.length - 1)).map(([old, other, at]): RowChange => {
    return { kind: 'update', old, new: old.map((value, index) => (index === at ? (other[index] ?? null) : value)) };
  }),
);

const step = fc.oneof(
  { weight: 4, arbitrary: change },
  { weight: 1, arbitrary: fc.nat().map((pick) => ({ kind: 'remove' as const, pick })) },
);

function parse(text: string): Where | undefined {
  const where = language.parse(text, {}, sampleColumns);
  return 'error' in where ? undefined : where; // Random constants may be an error by themselves.
}

function concerns(where: Where, values: Row): boolean {
  try {
    return where.evaluate((column) => values[samples.findIndex((sample) => sample.column === column)] ?? null) === true;
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return true;
  }
}

function rowsOf(each: RowChange): readonly Row[] {
  return [...('old' in each ? [each.old] : []), ...('new' in each ? [each.new] : [])];
}

test('the shapes that are found are those whose filter takes a row of the change, or has an error in it', () => {
  const seen = { filters: 0, lookedUp: 0, asked: 0, evaluations: 0, concerned: 0 };
  const filters = fc.array(filterOf(2), { minLength: 1, maxLength: 12 });
  const property = fc.property(filters, fc.array(step, { maxLength: 12 }), (texts, steps) => {
    const router = new ShapeRouter(() => layout);
    const present = new Map<number, Where>();
    for (const [index, text] of texts.entries()) {
      const where = parse(text);
      if (where === undefined) continue;
      present.set(index, where);
      router.add(handleOf(index), shapeOf({}, layout), where);
      seen.filters += 1;
      if (where.lookups !== undefined) seen.lookedUp += 1;
    }
    const wrong: unknown[] = [];
    for (const each of steps) {
      if (each.kind === 'remove') {
        router.remove(handleOf(each.pick % texts.length));
        present.delete(each.pick % texts.length);
        continue;
      }
      const found = routeWhole(router, blockOf([transactionOf({ xid: 7, lsn: '100' }, [each])])).flatMap((layer) => [...layer.keys()]);
      const expected = [...present].filter(([, where]) => rowsOf(each).some((values) => concerns(where, values))).map(([index]) => index);
      seen.asked += present.size * rowsOf(each).length;
      seen.concerned += expected.length;
      const difference = texts.filter((_, index) => found.includes(handleOf(index)) !== expected.includes(index));
      if (difference.length > 0) wrong.push({ difference, each });
    }
    seen.evaluations += router.evaluations;
    expect(wrong).toEqual([]);
  });
  fc.assert(property, { numRuns: 800 });

  // Not in vain: many filters are looked up, many shapes are concerned, and the filters of many others were never asked.
  expect({
    lookedUp: seen.lookedUp / seen.filters > 0.4,
    concerned: seen.concerned / seen.asked > 0.1,
    evaluations: seen.evaluations / seen.asked < 0.7,
  }).toEqual({ lookedUp: true, concerned: true, evaluations: true });
});
