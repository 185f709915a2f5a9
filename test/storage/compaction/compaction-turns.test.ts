/** Which log is looked at when, and how often. */
import { expect, test } from 'vitest';
import { SNAPSHOT_END } from '../../../src/model/log-offset.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { snapshotOf } from '../../support/storage/stored-samples.ts';
import { CompactingWorld, EAGER } from './compacting-world.ts';

/** Lines that stay, all of them. */
function insert(world: CompactingWorld, keys: readonly number[]): void {
  for (const key of keys) world.append([{ do: 'insert', key: String(key), value: { x: 'x'.repeat(1000) } }]);
}

/** A shape of which few lines are left when it is compacted. */
async function shapeWith(world: CompactingWorld, number: number, updates: number): Promise<ShapeLog> {
  const shape = world.now.shapes.create(handleOf(number), shapeOf({}));
  await snapshotOf(shape, []);
  for (let time = 0; time < updates; time += 1) world.append([{ do: 'update', key: 'a', value: { x: String(time) } }], shape);
  return shape;
}

const compacted = (shapes: readonly ShapeLog[]): boolean[] => shapes.map(({ compactedThrough }) => compactedThrough !== SNAPSHOT_END);

test('a log of which nothing goes is looked at once, though checkpoints come while it is', async () => {
  const world = await CompactingWorld.begin();
  insert(world, Array.from({ length: 2000 }, (_, key) => key));
  await world.take('checkpoint');
  const { linesRead: before } = world.folder;
  insert(world, [-1]);
  await world.take('checkpoint');
  const { linesRead: during } = world.folder;
  for (let time = 0; time < 10; time += 1) await world.settle();
  const { linesRead: first } = world.folder;
  insert(world, [-2]);
  await world.take('checkpoint');
  for (let time = 0; time < 10; time += 1) await world.settle();
  const { linesRead: second } = world.folder;
  await world.end();

  expect({ before, isDuring: during < first, isAll: first > 1900, second: second - first }).toEqual({
    before: 0, isDuring: true, isAll: true, second: 0,
  });
});

test('the log that has grown most is compacted first, and the others in their turn', async () => {
  const world = await CompactingWorld.begin();
  const shapes = [await shapeWith(world, 2, 20), await shapeWith(world, 3, 40), await shapeWith(world, 4, 30)];
  const turns: boolean[][] = [];
  await world.take('checkpoint');
  for (let turn = 0; turn < 3; turn += 1) {
    await world.settle();
    await world.take('checkpoint');
    turns.push(compacted(shapes));
  }
  await world.end();

  expect(turns).toEqual([[false, true, false], [false, true, true], [true, true, true]]);
});

test('one that is deleted while it waits, or while it is compacted, keeps no other from it', async () => {
  const world = await CompactingWorld.begin();
  const shapes = [await shapeWith(world, 2, 20), await shapeWith(world, 3, 40), await shapeWith(world, 4, 30)];
  await world.take('checkpoint');
  for (const number of [3, 4]) world.now.shapes.delete(handleOf(number), 'a test');
  await world.settle();
  for (let turn = 0; turn < 2; turn += 1) {
    await world.take('checkpoint');
    await world.settle();
  }
  await world.take('checkpoint');
  const first = compacted(shapes.slice(0, 1));
  await world.end();

  const left = world.disk.files.filter((path) => [3, 4].some((number) => path.includes(`/${handleOf(number)}.`)));
  expect({ first, left }).toEqual({ first: [true], left: [] });
});

test('one that is deleted while it waits takes no turn of another', async () => {
  const world = await CompactingWorld.begin();
  const shapes = [await shapeWith(world, 2, 20), await shapeWith(world, 3, 40), await shapeWith(world, 4, 30)];
  await world.take('checkpoint');
  world.now.shapes.delete(handleOf(4), 'a test');
  for (let turn = 0; turn < 2; turn += 1) {
    await world.settle();
    await world.take('checkpoint');
  }
  await world.end();

  expect(compacted(shapes)).toEqual([true, true, false]);
});

test('a log with more lines than are held is compacted from its beginning, part by part', async () => {
  const world = await CompactingWorld.begin(600, { ...EAGER, heldBytesMax: 20_000 });
  for (let time = 0; time < 5000; time += 1) world.append([{ do: 'update', key: 'a', value: { x: String(time) } }]);
  const lineBytes: number[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    lineBytes.push(world.shape.lineBytes);
    await world.take('checkpoint');
    for (let time = 0; time < 10; time += 1) await world.settle();
    await world.take('checkpoint');
  }
  await world.end();

  const [all = 0, first = 0, second = 0] = lineBytes;
  expect([first < all / 4, first > all / 8, second < 2000]).toEqual([true, true, true]);
});

test('where each update tells another column nothing is gained: what comes to more than half is given up', async () => {
  const world = await CompactingWorld.begin(600, { ...EAGER, goneShareMin: 1 / 2 });
  for (let time = 0; time < 40; time += 1)
    world.append([{ do: 'update', key: 'a', value: { [`x${time}`]: 'x'.repeat(500) } }]);
  await world.take('compact');
  const { compactedThrough } = world.shape;
  await world.end();

  const files = world.disk.files.filter((path) => path.endsWith('lines'));
  expect({ compactedThrough, files }).toEqual({ compactedThrough: SNAPSHOT_END, files: ['/data/shapes/5f/1-1.lines'] });
});

test('of a log of rows that come a few lines are looked at, and not all: nothing of it could go', async () => {
  const world = await CompactingWorld.begin(20_000, { ...EAGER, goneShareMin: 1 / 2 });
  insert(world, Array.from({ length: 1000 }, (_, key) => key));
  await world.take('compact');
  const { linesRead } = world.folder;
  for (let time = 0; time < 20_000; time += 1) world.append([{ do: 'update', key: '1', value: { x: String(time) } }]);
  await world.take('checkpoint');
  for (let time = 0; time < 100; time += 1) await world.settle();
  await world.take('checkpoint');
  const { compactedThrough } = world.shape;
  await world.end();

  expect([linesRead > 0 && linesRead < 200, compactedThrough === SNAPSHOT_END]).toEqual([true, false]);
});

test('a large update is not gone through again for each small one behind it', async () => {
  const world = await CompactingWorld.begin(1000, EAGER);
  const large = 'y'.repeat(100_000);
  world.append([{ do: 'insert', key: 'a', value: { x: '0', y: '' } }]);
  world.append([{ do: 'update', key: 'a', value: { y: large } }]);
  for (let time = 0; time < 1000; time += 1) world.append([{ do: 'update', key: 'a', value: { x: String(time) } }]);
  await world.take('compact');
  const { bytesFolded } = world.folder;
  const isCompacted = world.shape.lineBytes < 2 * large.length;
  await world.end();

  expect([isCompacted, bytesFolded > large.length, bytesFolded < 20 * large.length]).toEqual([true, true, true]);
});
