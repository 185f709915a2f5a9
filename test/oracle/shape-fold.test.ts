/** The oracle's fold takes what the protocol tells, and refuses what a forgiving client would overlook. */
import { expect, test } from 'vitest';
import type { ShapeMessage } from '../support/service/shape-follower.ts';
import { ShapeFold, type FoldRules } from '../support/shapes/shape-fold.ts';

const PLAIN: FoldRules = { columns: ['id', 'value'], keys: ['id'], booleans: ['value'], replica: 'default', moves: 'none' };
const FULL: FoldRules = { ...PLAIN, replica: 'full' };
/** `parent_id IN (…) OR other` , with one row of both disjuncts. */
const FOLDED: FoldRules = { ...PLAIN, moves: 'folded' };

type Row = ShapeMessage['value'];

function change(operation: string, value: Row, { old, headers }: { old?: Row; headers?: object } = {}): ShapeMessage {
  return {
    key: `"t"/"${value?.['id']}"`, headers: { operation, ...headers },
    ...(value === undefined ? {} : { value }), ...(old === undefined ? {} : { old_value: old }),
  };
}

function event(name: string, ...patterns: readonly { pos: number; value: string }[]): ShapeMessage {
  return { headers: { event: name, patterns, txids: [1] } };
}

const tagged = (id: string, conditions: readonly boolean[], tag = 'h') =>
  change('insert', { id, value: 'x' }, { headers: { tags: [`${tag}/`, '/1'], active_conditions: conditions } });

function folded(rules: FoldRules, ...messages: readonly ShapeMessage[]): string[] {
  const fold = new ShapeFold(rules);
  for (const message of messages) fold.take(message);
  fold.settle();
  return [...fold.rows().values()].map(({ id, value }) => `${id} ${value}`);
}

test('folds changes, and holds the two texts of a boolean in one', () => {
  const rows = folded(PLAIN, change('insert', { id: '1', value: 't' }), change('insert', { id: '2', value: 'f' }),
    change('update', { id: '1', value: 'false' }), change('delete', { id: '2' }));

  expect(rows).toEqual(['1 false']);
});

test('a row leaves when its last true disjunct does, and one that stays is made true again by a move-in', () => {
  const out = event('move-out', { pos: 0, value: 'h' });
  const rows = folded(FOLDED, tagged('1', [true, false]), tagged('2', [true, true]), tagged('3', [true, false], 'other'), out,
    event('move-in', { pos: 0, value: 'h' }), change('update', { id: '2', value: 'y' },
      { headers: { tags: ['other/', '/1'], removed_tags: ['h/'], active_conditions: [true, false] } }), out);

  expect(rows).toEqual(['2 y', '3 x']);
});

const inserted = change('insert', { id: '1', value: 'x' });
test.each<[string, FoldRules, ...ShapeMessage[]]>([
  ['insert of a row that is there', PLAIN, inserted, inserted],
  ['update of a row that is not there', PLAIN, change('update', { id: '1', value: 'x' })],
  ['delete of a row that is not there', PLAIN, inserted, change('delete', { id: '1' }), change('delete', { id: '1' })],
  ['insert without some column', PLAIN, change('insert', { id: '1' })],
  ['old value that never was', FULL, inserted, change('update', { id: '1', value: 'y' }, { old: { value: 'z' } })],
  ['old values of value, but changed are ', FULL, inserted, change('update', { id: '1', value: 'x' }, { old: { value: 'z' } })],
  ['tells another row than was there', FULL, inserted, change('delete', { id: '1', value: 'y' })],
  ['moves in a shape without a subquery', PLAIN, event('move-in', { pos: 0, value: 'h' })],
  ['its own conditions hide', FOLDED, tagged('1', [false, false])],
  ['both in and out', FOLDED, tagged('1', [true, true]), tagged('2', [false, true])],
  ['removed tags are not those that went', FOLDED, tagged('1', [true, true]),
    change('update', { id: '1' }, { headers: { tags: ['other/', '/1'], removed_tags: [], active_conditions: [true, true] } })],
])('refuses: %s', (sentence, rules, ...messages) => {
  expect(() => folded(rules, ...messages)).toThrow(sentence);
});
