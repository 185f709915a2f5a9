/** The oracle's fold takes what the protocol tells, and refuses what a forgiving client would overlook. */
import { expect, test } from 'vitest';
import { ShapeFold, type FoldRules } from '../support/shapes/shape-fold.ts';
import type { RowMessage, ShapeMessage } from '../support/shapes/tag-folding-client.ts';

const PLAIN: FoldRules = { columns: ['id', 'value'], keys: ['id'], booleans: ['value'], replica: 'default', isTagged: false };
const FULL: FoldRules = { ...PLAIN, replica: 'full' };
/** `parent_id IN (…) OR other`. */
const TAGGED: FoldRules = { ...PLAIN, isTagged: true };

function change(
  operation: RowMessage['headers']['operation'],
  value: RowMessage['value'],
  { old, headers }: { old?: RowMessage['value']; headers?: Omit<RowMessage['headers'], 'operation'> } = {},
): ShapeMessage {
  return { key: `"t"/"${value['id']}"`, value, headers: { operation, ...headers }, ...(old === undefined ? {} : { old_value: old }) };
}

function move(event: 'move-in' | 'move-out', ...patterns: readonly { pos: number; value: string }[]): ShapeMessage {
  return { headers: { event, patterns } };
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
  const out = move('move-out', { pos: 0, value: 'h' });
  const rows = folded(TAGGED, tagged('1', [true, false]), tagged('2', [true, true]), tagged('3', [true, false], 'other'), out,
    move('move-in', { pos: 0, value: 'h' }), change('update', { id: '2', value: 'y' },
      { headers: { tags: ['other/', '/1'], removed_tags: ['h/'], active_conditions: [true, false] } }), out);

  expect(rows).toEqual(['2 y', '3 x']);
});

const inserted = change('insert', { id: '1', value: 'x' });
test.each<[string, FoldRules, ...ShapeMessage[]]>([
  ['an insert is of an absent row', PLAIN, inserted, inserted],
  ['update of "t"/"1": an insert is of', PLAIN, change('update', { id: '1', value: 'x' })],
  ['delete of "t"/"1": an insert is of', PLAIN, inserted, change('delete', { id: '1' }), change('delete', { id: '1' })],
  ['insert without the whole row', PLAIN, change('insert', { id: '1' })],
  ['old value that never was', FULL, inserted, change('update', { id: '1', value: 'y' }, { old: { value: 'z' } })],
  ['old values of value, but changed are ', FULL, inserted, change('update', { id: '1', value: 'x' }, { old: { value: 'z' } })],
  ['tells another row than was there', FULL, inserted, change('delete', { id: '1', value: 'y' })],
  ['move-in in a shape without tags', PLAIN, move('move-in', { pos: 0, value: 'h' })],
  ['a row that is told is in the shape', TAGGED, tagged('1', [false, false])],
  ['without tags or conditions', TAGGED, inserted],
  ['both in and out', TAGGED, tagged('1', [true, true]), tagged('2', [false, true])],
  ['what is not removed of the old tags', TAGGED, tagged('1', [true, true]),
    change('update', { id: '1' }, { headers: { tags: ['other/', '/1'], removed_tags: [], active_conditions: [true, true] } })],
])('refuses: %s', (sentence, rules, ...messages) => {
  expect(() => folded(rules, ...messages)).toThrow(sentence);
});
