/** Who is reading while lines are compacted, and what is left of the files. */
import { expect, test } from 'vitest';
import { compareOffsets, SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { bodyOf, entriesOf, runsOf, text } from '../../support/storage/stored-samples.ts';
import { CompactingWorld } from './compacting-world.ts';

const CHUNK_BYTES = 700_000;
const PADDING = 'x'.repeat(50_000);

async function worldWith(updates: number): Promise<CompactingWorld> {
  const world = await CompactingWorld.begin(CHUNK_BYTES);
  world.append([{ do: 'insert', key: 'a', value: { x: '0' } }]);
  update(world, updates);
  await world.take('checkpoint');
  return world;
}

function update(world: CompactingWorld, times: number): void {
  for (let time = 0; time < times; time += 1) world.append([{ do: 'update', key: 'a', value: { x: `${time} ${PADDING}` } }]);
}

function linesFiles(world: CompactingWorld): string[] {
  return world.disk.files.filter((path) => path.endsWith('lines')).map((path) => path.slice(path.lastIndexOf('/') + 1));
}

test.each([0, 1, 2])('who has taken %i parts of a chunk gets the rest as it was, and goes on in what was compacted', async (parts) => {
  const world = await worldWith(60);
  const expected = await bodyOf(world.shape.read(SNAPSHOT_END));
  const runs = runsOf(world.shape.read(SNAPSHOT_END));
  let body = '';
  for (let number = 0; number < parts; number += 1) body += text((await runs.next()).value.bytes);
  await world.take('compact');
  for await (const { bytes } of runs) body += text(bytes);
  const compacted = await bodyOf(world.shape.read(SNAPSHOT_END));
  await world.end();

  expect('body' in expected && body.slice(0, -1) === expected.body).toBe(true);
  expect(compacted).not.toEqual(expected);
});

test('who reads the last lines goes on in the new files, also where they have left the memory meanwhile', async () => {
  const world = await worldWith(60);
  const at = world.shape.end;
  update(world, 40);
  const expected = await entriesOf(world.shape.read(at));
  const runs = runsOf(world.shape.read(at));
  let body = text((await runs.next()).value.bytes);
  await world.take('compact');
  await world.take('checkpoint');
  for await (const { bytes } of runs) body += text(bytes);
  await world.end();

  expect(body === expected.map(({ bytes }) => `${text(bytes)},`).join('')).toBe(true);
});

test('old files stay while somebody reads in them, and go with the checkpoint behind that', async () => {
  const world = await worldWith(60);
  const runs = runsOf(world.shape.read(SNAPSHOT_END));
  await runs.next();
  await world.take('compact');
  await world.take('checkpoint');
  const held = linesFiles(world);
  await runs.return(undefined);
  await world.take('checkpoint');
  const left = linesFiles(world);
  await world.end();

  expect({ held, left }).toEqual({ held: ['1-1.1.lines', '1-1.lines'], left: ['1-1.1.lines'] });
});

test('who begins to read when the files have long gone is told to ask again, and the shape is sound', async () => {
  const world = await worldWith(60);
  const runs = runsOf(world.shape.read(SNAPSHOT_END));
  await world.take('compact');
  await world.take('checkpoint');
  await world.take('checkpoint');
  const late = await runs.next().catch((error: Error) => error.name);
  const again = await bodyOf(world.shape.read(SNAPSHOT_END));
  await world.end();

  expect([late, 'body' in again]).toEqual(['LinesReplacedError', true]);
});

test('a shape that is deleted while its lines are compacted leaves nothing behind', async () => {
  const world = await worldWith(60);
  world.now.shapes.delete(handleOf(1), 'a test');
  await world.end();

  expect(world.disk.files.filter((path) => path.includes('/shapes/'))).toEqual([]);
});

/** A second shape, which looks values of the first one up. */
function dependOn(world: CompactingWorld, number: number, views: readonly LogOffset[]): void {
  const { shapes } = world.now;
  const outer = shapes.create(handleOf(number), { ...shapeOf({}), dependencies: [{ shape: shapeOf({}), column: 'id' }] }, [handleOf(1)]);
  if (views.length > 0) outer.beginViews(views);
}

test('what is told behind the oldest version that somebody asks about stays as it was', async () => {
  const world = await CompactingWorld.begin(CHUNK_BYTES);
  world.append([{ do: 'insert', key: 'a', value: { x: '0' } }]);
  dependOn(world, 2, []);
  update(world, 60);
  await world.take('compact');
  const unknown = world.shape.compactedThrough;
  world.now.shapes.delete(handleOf(2), 'a test');
  dependOn(world, 3, ['300_0' as LogOffset]);
  update(world, 60);
  await world.take('compact');
  await world.take('compact');
  const { compactedThrough } = world.shape;
  await world.end();

  const isBefore = compareOffsets(compactedThrough, '300_0' as LogOffset) <= 0;
  expect({ unknown, isBefore, isAny: compactedThrough !== SNAPSHOT_END }).toEqual({ unknown: SNAPSHOT_END, isBefore: true, isAny: true });
});
