/** How often a filter is asked about rows that a splice moves. */
import { expect, test } from 'vitest';
import type { Tuple } from '../../src/model/change.ts';
import { MoveJudge } from '../../src/shapes/move-judge.ts';
import { RowJudge } from '../../src/shapes/row-marks.ts';
import { planRows } from '../../src/shapes/row-plan.ts';
import { tupleOf } from '../support/actors/changes.ts';
import { itemsLayout, shapeOf } from '../support/shapes.ts';
import { isIn, membersOf, subqueryFilter } from '../support/shapes/subquery-filter.ts';

const OWNED = subqueryFilter(['owner'], [[isIn('owner', 0)]]);
const [NOBODY, ANN] = [membersOf([]), membersOf(['ann'])];
const LONG = 'a'.repeat(200);

const owned = (owner: string | null, id = '1'): Tuple => tupleOf([id, 'a', owner]);

/** What became of each row, and about which values the view behind the moves was asked. */
function judged(rows: readonly Tuple[]): { readonly told: readonly unknown[]; readonly asked: readonly string[] } {
  const asked: string[] = [];
  const after = (subquery: number, member: string): boolean => {
    asked.push(member);
    return ANN(subquery, member);
  };
  const judge = new RowJudge(OWNED, (namespaced) => namespaced);
  const plan = planRows(shapeOf({}), itemsLayout.columns);
  const moved = new MoveJudge(judge, plan, OWNED.columns, { before: NOBODY, after });
  return { told: rows.map((row) => moved.of(row).is?.tags), asked: asked.filter((member) => !member.startsWith('\0')) };
}

test('of rows that differ in nothing that the filter reads the first one alone is judged', () => {
  const rows = [owned('ann', '1'), owned('ben', '2'), owned('ann', '3'), owned('ben', '4')];

  expect(judged(rows)).toEqual({ told: [['v:ann'], undefined, ['v:ann'], undefined], asked: ['ann', 'ben'] });
});

test('NULL is not taken for a text that is empty', () => {
  expect(judged([owned(null), owned(''), owned('ann')])).toEqual({ told: [undefined, undefined, ['v:ann']], asked: ['', 'ann'] });
});

test('what is long is judged each time', () => {
  expect(judged([owned(LONG), owned(LONG)])).toEqual({ told: [undefined, undefined], asked: [LONG, LONG] });
});

test('of many values the first ones are forgotten, and judged anew', () => {
  const names = Array.from({ length: 1_000 }, (_, index) => `owner ${index}`);

  expect(judged([...names, 'ann', 'ann', 'owner 0'].map((name) => owned(name))).asked).toEqual([...names, 'ann', 'owner 0']);
});
