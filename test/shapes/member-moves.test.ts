/** What a move makes of terms, against what each row says of them before and behind it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { askedKeys, canBeNamed, turnedTo } from '../../src/shapes/member-moves.ts';
import { LEFT_SIDES_MAX } from '../../src/shapes/moved-rows.ts';
import { rowMember, rowParts, truthOfIn } from '../../src/sql/subqueries/membership.ts';
import type { Truths } from '../../src/sql/subqueries/truths.ts';
import { moveOf, rowMoveOf } from '../support/shapes/member-move.ts';
import { isEqual, isIn, membersOf, membersOfRows, membersOfRowValues, subqueryFilter } from '../support/shapes/subquery-filter.ts';

type Selected = readonly (string | null)[];

const TRUTHS: readonly Truths[] = [[true], [false], [null], [true, false], [true, null], [false, null]].map((truths) => new Set(truths));
const KEYS = ['1', '2', '3', null];
const selected: fc.Arbitrary<Selected> = fc.subarray([...KEYS]);

/** Whether a row with this left side has the term true. */
function isTrue(truths: Truths, key: string | null, rows: Selected): boolean {
  return truths.has(truthOfIn(membersOf(membersOfRows(rows)), 0, key));
}

test('where a move can be named, the left sides that it names are those whose rows have the term otherwise', () => {
  const property = fc.property(fc.constantFrom(...TRUTHS), selected, selected, (truths, before, after) => {
    const term = isIn('parent', 0, 'text', truths);
    const { subqueries: plan } = subqueryFilter(['parent'], [[term]]);
    const move = moveOf(before, after);
    fc.pre(plan !== undefined && canBeNamed(plan, [move]));
    const named = [true, false].map((truth) => {
      const { values, isNullTurned } = turnedTo(truth, term, move);
      return new Set([...values.map(({ value }) => value), ...(isNullTurned ? [null] : [])]);
    });
    const turned = [true, false].map((truth) => {
      return new Set(KEYS.filter((key) => isTrue(truths, key, before) !== truth && isTrue(truths, key, after) === truth));
    });

    expect(named).toEqual(turned);
  });
  fc.assert(property, { numRuns: 1_000 });
});

const ROWS = ['1', '2', null].flatMap((one) => ['1', null].map((two) => rowMember([one, two])));

test('of row values, where a move can be named, the left sides that it names are those whose rows have the term otherwise', () => {
  const property = fc.property(fc.constantFrom(...TRUTHS), fc.subarray(ROWS), fc.subarray(ROWS), (truths, before, after) => {
    const term = { ...isIn('parent', 0, 'text', truths), names: ['parent', 'kind'] };
    const { subqueries: plan } = subqueryFilter(['parent', 'kind'], [[term]]);
    const move = rowMoveOf(before, after);
    const hasNullMoved = ROWS.some((member) => member.includes('null') && before.includes(member) !== after.includes(member));
    const canBe = plan && canBeNamed(plan, [move]);
    const isTrueBy = (rows: readonly string[], left: string): boolean =>
      truths.has(truthOfIn(membersOf(membersOfRowValues(rows)), 0, rowParts(left)));
    const sides = [true, false].map((truth) => ({
      named: new Set(canBe === true ? turnedTo(truth, term, move).values.map(({ value }) => value) : []),
      turned: new Set(canBe === true ? ROWS.filter((left) => isTrueBy(before, left) !== truth && isTrueBy(after, left) === truth) : []),
    }));

    expect({ canBe, named: sides.map(({ named }) => named) }).toEqual({
      canBe: !hasNullMoved || truths.has(false) === truths.has(null), named: sides.map(({ turned }) => turned),
    });
  });
  fc.assert(property, { numRuns: 2_000 });
});

test('a move cannot be named where NULL comes or goes, and a term is true for one of false and unknown alone', () => {
  const [without, withNull]: readonly Selected[] = [['1'], ['1', null]];
  const found = TRUTHS.map((truths) => {
    const { subqueries: plan } = subqueryFilter(['parent'], [[isEqual('kind', 'x'), isIn('parent', 0, 'text', truths)], [isIn('kind', 1)]]);
    const moves = [[without, withNull], [withNull, without], [without, []], [withNull, withNull]].map(([before = [], after = []]) => {
      return [moveOf(before, after), moveOf([], [null])];
    });
    return moves.map((move) => plan && canBeNamed(plan, move));
  });

  const [always, notNull] = [[true, true, true, true], [false, false, true, true]];
  expect(found).toEqual([always, notNull, notNull, notNull, notNull, always]);
});

test('asked for are the rows that come, and those that go only where nobody else tells of them', () => {
  const [isNot, isNotTrue] = [new Set([false]), new Set([false, null])];
  const plan = subqueryFilter(['parent', 'kind'], [
    [isIn('parent', 0), isIn('kind', 0, 'text', isNot)], [isIn('parent', 1, 'text', isNotTrue)], [isIn('parent', 2)],
  ]).subqueries;
  const ask = (...moves: readonly (readonly [before: Selected, after: Selected])[]) =>
    (['events', 'rows'] as const).map((teller) => plan && askedKeys(plan, moves.map((move) => moveOf(...move)), teller));

  expect([
    ask([['1', '2'], ['2', '3']], [['4'], ['5']], [['6'], ['7']]), // Both ways, outwards, inwards.
    ask([['1'], []], [['4'], []], [[], ['7']]), // Where NULL is on the left, that matters to NOT IN alone.
    ask([['1'], ['1', null]], [[], []], [[], []]),
    ask([['1'], ['1']], [[], [null]], [[null], []]),
  ]).toEqual([
    [[['3', '1'], ['4'], ['7']], [['3', '1'], ['4', '5'], ['7', '6']]],
    [[['1', null], ['4'], ['7']], [['1', null], ['4'], ['7']]],
    ['any', 'any'],
    [[[], [], []], [[], [], []]],
  ]);
});

test.each<[string, Truths, boolean]>([
  ['is true for one of false and unknown alone', new Set([false]), false],
  ['has what is unknown like what is false', new Set([true]), true],
])('so many row values that all left sides would be too long a list cannot be named where a term %s', (_, truths, isNamed) => {
  const term = { ...isIn('parent', 0, 'text', truths), names: ['parent', 'kind'] };
  const { subqueries: plan } = subqueryFilter(['parent', 'kind'], [[term]]);
  const rows = Array.from({ length: LEFT_SIDES_MAX / 4 + 1 }, (_each, index) => rowMember([String(index), '1']));

  expect([rows.slice(1), rows].map((came) => plan && canBeNamed(plan, [rowMoveOf([], came)]))).toEqual([true, isNamed]);
});
