import { expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import { activeConditions, isTaken, movedPatterns, tagsOf } from '../../src/shapes/row-tags.ts';
import { NULL_MEMBER, rowMember, rowPattern } from '../../src/sql/subqueries/membership.ts';
import type { SubqueryPlan, Term } from '../../src/sql/where.ts';
import { moveOf } from '../support/shapes/member-move.ts';
import { isEqual, isIn, membersOf, subqueryFilter } from '../support/shapes/subquery-filter.ts';

const hash = (namespaced: string): string => `<${namespaced}>`;

function planOf(...disjuncts: readonly (readonly Term[])[]): SubqueryPlan {
  const { subqueries } = subqueryFilter(['parent', 'kind', 'amount'], disjuncts);
  invariant(subqueries !== undefined, 'a filter of the tests has subqueries');
  return subqueries;
}

function rowOf(values: Readonly<Record<string, string | null>>): (column: string) => string | null {
  return (column) => values[column] ?? null;
}

const PARENT = isIn('parent', 0);
const FALSE = new Set([false]);
const ROW = rowOf({ parent: '7', kind: 'x' });

test.each([
  ['one term', [[PARENT]], ['<v:7>']],
  ['a plain term beside it', [[PARENT, isEqual('kind', 'x')]], ['<v:7>/1']],
  ['a plain term instead of it', [[PARENT], [isEqual('kind', 'x')]], ['<v:7>/', '/1']],
  ['disjuncts of several terms', [[PARENT, isEqual('kind', 'x')], [isIn('kind', 1)], [PARENT, PARENT]], [
    '<v:7>/1///', '//<v:x>//', '///<v:7>/<v:7>',
  ]],
])('a tag has a slot for each position of the filter: %s', (_, disjuncts, tags) => {
  expect(tagsOf(planOf(...disjuncts), ROW, hash)).toEqual(tags);
});

test('NULL has a tag that is not the one of the text NULL', () => {
  const tags = [null, 'NULL'].map((parent) => tagsOf(planOf([PARENT]), rowOf({ parent }), hash));

  expect(tags).toEqual([['<NULL>'], ['<v:NULL>']]);
});

test('a row value has a tag of all its parts, each with its column before it; NULL and colons make no two alike', () => {
  const sides = [['2', '3'], ['2', null], [null, null], ['x', 'kind:v:y'], ['xkind:v:', 'y'], ['NULL', ':'], [':', 'NULL']] as const;
  const term = (side: readonly (string | null)[]): Term => ({ ...PARENT, names: ['parent', 'kind'], left: () => side });
  const tags = sides.map((side) => tagsOf(planOf([term(side)]), ROW, hash)[0]);

  expect({ tags: tags.slice(0, 3), count: new Set(tags).size }).toEqual({
    tags: ['<parent:v:2kind:v:3>', '<parent:v:2kind:NULL>', '<parent:NULLkind:NULL>'], count: sides.length,
  });
});

test('values that are equal have one tag', () => {
  const plan = planOf([isIn('amount', 0, 'numeric')]);

  expect(['1.0', '1.00', '1'].map((amount) => tagsOf(plan, rowOf({ amount }), hash)[0])).toEqual(['<v:1>', '<v:1>', '<v:1>']);
});

test('a condition is active only when Postgres says that its term is true', () => {
  const plan = planOf([PARENT, isEqual('kind', 'x')], [isIn('kind', 1)]);
  const isMember = membersOf(['7'], ['x']);
  const rows = [{ parent: '7', kind: 'x' }, { parent: '8', kind: 'y' }, { parent: null, kind: null }];

  expect(rows.map((row) => activeConditions(plan, rowOf(row), isMember))).toEqual([
    [true, true, true], [false, false, false], [false, false, false],
  ]);
});

test('a row value with NULLs is looked for by its other parts only where unknown and false differ', () => {
  const term = (...truths: readonly (boolean | null)[]): Term => ({
    ...PARENT, names: ['parent', 'kind'], left: (row) => [row('parent'), row('kind')], truths: new Set(truths),
  });
  const asked: string[] = [];
  const isMember = (_: number, member: string): boolean => {
    asked.push(member);
    return member !== rowMember(['7', 'y']);
  };
  const rows = [{ parent: '7', kind: 'x' }, { parent: '7', kind: 'y' }, { parent: '7', kind: null }].map(rowOf);
  const plans = [term(true), term(false, null), term(false)].map((each) => planOf([each]));

  expect({ active: plans.map((plan) => rows.map((row) => activeConditions(plan, row, isMember)[0])), asked }).toEqual({
    active: [[true, false, false], [false, true, true], [false, false, false]],
    asked: [
      '["7","x"]', '["7","y"]', '["7","x"]', '["7","y"]', '["7","x"]', '["7","y"]', NULL_MEMBER, '[null,"y"]', rowPattern(['7', undefined]),
    ],
  });
});

test('a term that stands in many disjuncts is worked out once for the conditions of a row, and once for its tags', () => {
  const asked: string[] = [];
  const term: Term = {
    ...PARENT,
    left(row) {
      asked.push('left');
      return row('parent');
    },
  };
  const plain: Term = {
    kind: 'plain',
    evaluate() {
      asked.push('plain');
      return null;
    },
  };
  const plan = planOf(...Array.from({ length: 9 }, () => [term, plain]));

  expect([activeConditions(plan, ROW, membersOf(['7'])).length, tagsOf(plan, ROW, hash).length, asked]).toEqual([
    18, 9, ['left', 'plain', 'left'],
  ]);
});

test('a row is taken when all conditions of some disjunct are active', () => {
  const plan = planOf([PARENT, isEqual('kind', 'x')], [isIn('kind', 1)]);
  const taken = [[true, true, false], [false, false, true]];
  const left = [[true, false, false], [false, true, false], [false, false, false]];

  expect([...taken, ...left].map((active) => isTaken(plan, active))).toEqual([true, true, false, false, false]);
});

test('what moved is named at each position that looks it up, by position and then as it was given', () => {
  const plan = planOf([PARENT, isEqual('kind', 'x')], [isIn('kind', 1), PARENT]);

  expect(movedPatterns(plan, true, [moveOf([], ['9', '2']), moveOf([], [])], hash, 0, 10)).toEqual([
    { pos: 0, value: '<v:9>' }, { pos: 0, value: '<v:2>' }, { pos: 3, value: '<v:9>' }, { pos: 3, value: '<v:2>' },
  ]);
});

test('where a term is negated, what goes makes it true and what comes makes it false; a first and a last row do so for NULL', () => {
  const plan = planOf([PARENT, isIn('kind', 1, 'text', FALSE)]);
  const named = [[['7'], []], [[], ['7']], [['7', null], ['8', null]]].map(([before = [], after = []]) => {
    return [true, false].map((truth) => {
      const patterns = movedPatterns(plan, truth, [moveOf([], []), moveOf(before, after)], hash, 0, 10);
      return patterns.map(({ pos, value }) => `${pos} ${value}`);
    });
  });

  expect(named).toEqual([[['1 <v:7>', '1 <NULL>'], []], [[], ['1 <v:7>', '1 <NULL>']], [[], []]]);
});

test('some of the patterns are what all of them have at that place', () => {
  const plan = planOf([PARENT, isEqual('kind', 'x')], [isIn('kind', 1, 'text', FALSE), PARENT], [isIn('parent', 1, 'text', FALSE), PARENT]);
  const moves = [moveOf(['3'], ['9', '2', '5']), moveOf(['4'], [])];
  const stretch = (from: number, countMax: number) => movedPatterns(plan, true, moves, hash, from, countMax);
  const all = stretch(0, 20);
  const stretches = all.flatMap((_, from) => [1, 2, 3, 20].map((countMax) => ({ from, countMax })));

  expect(stretches.map(({ from, countMax }) => stretch(from, countMax))).toEqual(
    stretches.map(({ from, countMax }) => all.slice(from, from + countMax)),
  );
});

test('a value that moved is hashed once, at however many positions it is looked up', () => {
  const plan = planOf([PARENT], [PARENT, isEqual('kind', 'x')], [PARENT, isEqual('kind', 'y')]);
  const hashed: string[] = [];
  const patterns = movedPatterns(plan, true, [moveOf([], ['9'])], (text) => {
    hashed.push(text);
    return hash(text);
  }, 0, 10);

  expect({ hashed, positions: patterns.map(({ pos }) => pos) }).toEqual({ hashed: ['v:9'], positions: [0, 1, 3] });
});
