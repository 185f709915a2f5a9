/** Who is reading while lines are compacted, and what is left of the files. */
import { expect, test } from 'vitest';
import { compareOffsets, SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import { CheckpointDeferredError } from '../../../src/storage/errors.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { bodyOf, entriesOf, runsOf, text } from '../../support/storage/stored-samples.ts';
import { CompactingWorld } from './compacting-world.ts';

const CHUNK_BYTES = 700_000;
/** More than a reader is given at once of what is in memory. */
const LARGE_CHUNK_BYTES = 3_000_000;
const PADDING = 'x'.repeat(50_000);

async function worldWith(updates: number, chunkBytesMax = CHUNK_BYTES): Promise<CompactingWorld> {
  const world = await CompactingWorld.begin(chunkBytesMax);
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

test('who takes the last lines step by step goes on in the new files, though the old ones are gone by then', async () => {
  const world = await worldWith(130, LARGE_CHUNK_BYTES);
  const at = world.shape.end;
  update(world, 40);
  const expected = await entriesOf(world.shape.read(at));
  const runs = runsOf(world.shape.read(at));
  let body = text((await runs.next()).value.bytes);
  await world.take('compact');
  await world.take('checkpoint');
  for await (const { bytes } of runs) body += text(bytes);
  await world.take('checkpoint');
  const files = linesFiles(world);
  await world.end();

  expect({ isWhole: body === expected.map(({ bytes }) => `${text(bytes)},`).join(''), files }).toEqual({
    isWhole: true, files: ['1-1.1.lines'],
  });
});

test('who takes step by step what is compacted meanwhile gets it as it was, also where it has left the memory', async () => {
  const world = await CompactingWorld.begin(LARGE_CHUNK_BYTES);
  world.append([{ do: 'insert', key: 'a', value: { x: '0' } }]);
  update(world, 130);
  const expected = await bodyOf(world.shape.read(SNAPSHOT_END));
  const runs = runsOf(world.shape.read(SNAPSHOT_END));
  let body = text((await runs.next()).value.bytes);
  await world.take('compact');
  await world.take('checkpoint');
  await world.take('checkpoint');
  for await (const { bytes } of runs) body += text(bytes);
  const { compactions } = world;
  await world.end();

  expect([compactions, 'body' in expected && body.slice(0, -1) === expected.body]).toEqual([1, true]);
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

/** Turns a bit of a file over. */
function damage(world: CompactingWorld, path: string, at: number): void {
  const content = Buffer.from(world.disk.content(path));
  content[at] = (content[at] ?? 0) ^ 1;
  world.disk.damage(path, content);
}

test.each(['lines', 'index'])('damage that is met while lines are compacted is named by the next checkpoint: %s', async (kind) => {
  const world = await CompactingWorld.begin(CHUNK_BYTES);
  world.append([{ do: 'insert', key: 'a', value: { x: '0' } }]);
  update(world, 10);
  await world.take('checkpoint');
  damage(world, `/data/shapes/5f/1-1.${kind}`, 70);
  update(world, 50);
  const damagedOf = (error: unknown) => error instanceof CheckpointDeferredError && error.damaged.map(({ handle }) => handle);
  const named = await world.take('compact').catch(damagedOf);
  world.now.shapes.delete(handleOf(1), 'damaged');
  await world.now.shapes.checkpoint();
  await world.end();

  expect({ named, files: world.disk.files.filter((path) => path.includes('/shapes/')) }).toEqual({ named: [handleOf(1)], files: [] });
});

test.each(['lines', 'index'])('of files that were compacted nothing is read that does not hold: %s', async (kind) => {
  const world = await worldWith(60);
  await world.take('compact');
  damage(world, `/data/shapes/5f/1-1.1.${kind}`, 70);
  const read = await bodyOf(world.shape.read(SNAPSHOT_END)).catch((error: Error) => error.name);
  await world.end();

  expect(read).toBe('ShapeCorruptError');
});

test('a shape whose compacted files are missing is dropped with a word, though the older ones are there', async () => {
  const world = await worldWith(60);
  await world.take('compact');
  await world.take('restart');
  world.disk.lose('/data/shapes/5f/1-1.1.lines');
  await world.now.close();
  const again = await CompactingWorld.onto(world.disk.image());
  const { notes } = again.now;
  await again.end();
  const files = again.disk.files.filter((path) => path.includes('/shapes/'));

  expect({ notes: notes.length, files }).toEqual({ notes: 1, files: [] });
});

test('a disk that refuses a compaction has lost nothing, and is asked again when the log has grown', async () => {
  const world = await CompactingWorld.begin(CHUNK_BYTES);
  world.append([{ do: 'insert', key: 'a', value: { x: '0' } }]);
  update(world, 60);
  world.disk.fail('write', 'ENOSPC', /\.1\.lines$/);
  await world.take('compact');
  const refused = world.shape.compactedThrough;
  world.disk.heal();
  update(world, 100);
  await world.take('compact');
  const read = await bodyOf(world.shape.read(SNAPSHOT_END));
  await world.end();

  expect([refused, world.shape.compactedThrough === SNAPSHOT_END, 'body' in read]).toEqual([SNAPSHOT_END, false, true]);
});
