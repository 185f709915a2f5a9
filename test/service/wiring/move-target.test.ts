/** What is asked of Postgres when values have moved, and what becomes of the rows: over real values and a real filter. */
import { beforeAll, expect, test } from 'vitest';
import { LinkValues } from '../../../src/actors/link-values.ts';
import { materializerOf } from '../../../src/actors/shape-processes.ts';
import { invariant } from '../../../src/base/invariant.ts';
import { placeAt } from '../../../src/model/log-entry.ts';
import { SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import type { ShapeDefinition } from '../../../src/model/shape.ts';
import { moveTarget } from '../../../src/service/wiring/move-target.ts';
import { ChangeConverter } from '../../../src/shapes/change-converter.ts';
import { loadWhereLanguage } from '../../../src/sql/where-language.ts';
import type { Where, WhereColumn, WhereLanguage } from '../../../src/sql/where.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { ShapeBlocks } from '../../../src/storage/shapes/shape-blocks.ts';
import { changeBytes } from '../../support/actors/changes.ts';
import { FOLLOWER, followerPorts } from '../../support/actors/follower-ports.ts';
import { committed, deleted, inserted } from '../../support/actors/placed-rows.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { foundTable, handleOf, itemsLayout, shapeOf } from '../../support/shapes.ts';
import { grow, pgSnapshot, snapshotOf, text } from '../../support/storage/stored-samples.ts';

const [INNER, OUTER] = [handleOf(1), handleOf(2)];
const MOVED = '7_2' as LogOffset;
const COLUMNS: readonly WhereColumn[] = itemsLayout.columns.map(({ name }) => ({ name, typeName: 'text', dimensions: 0 }));
let language: WhereLanguage;

beforeAll(async () => {
  language = await loadWhereLanguage();
});

function filterOf(text: string): Where {
  const parsed = language.parse(text, {}, COLUMNS, () => COLUMNS);
  invariant(!('error' in parsed), 'the language accepts a subquery');
  return parsed;
}

/** Values of which `ann` has gone, and `ben` come, or NULL; a shape that looks at them as they were before. */
async function splicing(more: Pick<ShapeDefinition, 'moveOuts' | 'facts'> = {}, word = 'IN', came: string | null = 'ben') {
  const where = filterOf(`owner ${word} (SELECT title FROM others)`);
  const storage = memoryStorage({ clock: new ManualClock() });
  const definition = { ...shapeOf({}), dependencies: [{ shape: shapeOf({}), column: 'title' }], ...more };
  const shapeLog = storage.shapes.create(OUTER, definition, [INNER]);
  shapeLog.beginViews([SNAPSHOT_END]);
  await snapshotOf(shapeLog, []);
  const blocks = new ShapeBlocks();
  const values = new LinkValues('title', followerPorts(blocks));
  for (const [through, rows] of [
    [SNAPSHOT_END, [inserted('a', 'ann')]], [MOVED, committed('7', [deleted('a'), inserted('b', came)])],
  ] as const) {
    const block = { after: values.place, through: placeAt(through) };
    blocks.put(FOLLOWER, block, rows);
    values.apply({ block });
  }
  const tables = new Map([[materializerOf(INNER, 'title'), values]]);
  const written: string[] = [];
  const writer = { write: async (lines: Uint8Array) => void written.push(text(lines)), complete: async () => null };
  const lines = new ChangeConverter(definition, where, () => itemsLayout, undefined, (value) => value);
  const target = (views = [MOVED]) => {
    const runtime = { tableOf: (process: string) => tables.get(process as never) };
    const log = Object.assign(Object.create(shapeLog) as typeof shapeLog, { beginMoved: () => writer });
    return moveTarget({ runtime, log: storage.log, shapeLog: log, seesShown: () => true, lines, where }, views);
  };
  return { storage, shapeLog, tables, target, written };
}

const rowOf = (id: string, owner: string | null) => {
  return changeBytes({ kind: 'insert', new: [id, 'a', owner], layoutId: 1, position: 0 });
};
const rows = Buffer.concat([rowOf('1', 'ann'), rowOf('2', 'ben'), rowOf('3', 'cid'), rowOf('4', null)]);

test.each([
  ['rows that come are asked for, and written', {}, '{"ben"}', ['insert 2']],
  ['those that leave are asked for as well where deletes tell of them', { moveOuts: 'deletes' }, '{"ben","ann"}', ['delete 1', 'insert 2']],
] as const)('of what moved, %s', async (_, more, asked, told) => {
  const { target, written } = await splicing(more);
  const moves = target();
  await moves?.rows(rows);

  const lines = written.join('').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
  const rowsTold = lines.map(({ headers, value }) => `${headers.operation} ${value.id}`);
  expect({ params: moves?.where?.params.map(String), columns: moves?.columns, rowsTold }).toEqual({
    params: [asked], columns: ['id', 'title', 'owner'], rowsTold: told,
  });
});

test.each([
  ['a value that goes', 'ben', '("owner" = ANY($1::text[]))', ['insert 1']],
  ['NULL, whatever the row', null, '$1::bool', ['delete 3']],
])('where the filter wants what is not selected, rows are asked for by %s', async (_, came, sql, told) => {
  const { target, written } = await splicing({}, 'NOT IN', came);
  const moves = target();
  await moves?.rows(Buffer.concat([rowOf('1', 'ann'), rowOf('3', 'cid')]));

  const lines = written.join('').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
  expect({ sql: moves?.where?.sql, told: lines.map(({ headers, value }) => `${headers.operation} ${value.id}`) }).toEqual({ sql, told });
});

test('where no row of a part moved nothing is written', async () => {
  const { target, written } = await splicing();
  await target()?.rows(rowOf('3', 'cid'));

  expect(written).toEqual([]);
});

test('a table of the same name that is another one is not read', async () => {
  const { target } = await splicing();
  const found = [itemsLayout, { ...itemsLayout, oid: 1 }].map((layout) => target()?.accepts(foundTable(layout)));

  expect(found).toEqual([true, false]);
});

test('a snapshot counts only when it sees all that the shape has taken', async () => {
  const { storage, shapeLog, target } = await splicing();
  const before = target()?.isNewEnough(pgSnapshot);
  const position = await grow(storage, 96);
  shapeLog.publish(position, 'behind');
  const snapshots = ['96', '97'].map((xmax) => target()?.isNewEnough({ ...pgSnapshot, xmax, xip: [] }));

  expect([before, ...snapshots]).toEqual([true, false, true]);
});

test('a snapshot that was taken before the one of the rows that the shape has does not count', async () => {
  const { target } = await splicing();
  const [same, older, before, newer, behind] = [{}, { xmax: '94' }, { xip: ['91', '93'] }, { xip: [] }, { xmax: '97', xip: ['91', '96'] }];
  const counts = [same, newer, behind, older, before].map((differing) => target()?.isNewEnough({ ...pgSnapshot, ...differing }));

  expect(counts).toEqual([true, true, true, false, false]);
});

test('nothing can be asked while nobody keeps the values, or not as far as the shape is told they are', async () => {
  const { tables, target } = await splicing();
  const ahead = target(['9_0' as LogOffset]);
  tables.clear();

  expect([ahead, target()]).toEqual([undefined, undefined]);
});

test('a table whose values were computed anew is not read: the rows that are stored have the old ones', async () => {
  const { target } = await splicing({ facts: { files: '16384', columns: '1.700 2.700 3.700' } });
  const [{ columns, ...same }, moved] = [foundTable(itemsLayout), { ...foundTable(itemsLayout), files: '16400' }];
  const anew = columns.map((column) => (column.name === 'title' ? { ...column, facts: { ...column.facts, version: 701 } } : column));
  const found = [{ ...same, columns }, moved, { ...moved, columns: anew }].map((each) => target()?.accepts(each));

  expect(found).toEqual([true, true, false]);
});
