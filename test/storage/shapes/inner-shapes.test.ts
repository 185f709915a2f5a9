/** Whether anybody asked for an inner shape itself, as a storage keeps it over stops of any kind. */
import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { openStorage } from '../../../src/storage/open-storage.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { snapshotOf } from '../../support/storage/stored-samples.ts';
import { MemoryDisk } from '../memory-disk.ts';

const INNER = handleOf(1);

function open(disk: MemoryDisk): Promise<Storage> {
  const processes = { self: { host: 'here', pid: 1, start: '' }, isAlive: () => false };
  return openStorage({ directory: '/store', clock: new ManualClock(), disk: disk.mount(), processes });
}

async function innerShape(storage: Storage): Promise<ShapeLog> {
  const shape = storage.shapes.create(INNER, shapeOf({}), [], true);
  await snapshotOf(shape, []);
  return shape;
}

type Step = (shape: ShapeLog, storage: Storage) => unknown;
const checkpoint: Step = (_, { shapes }) => shapes.checkpoint();
const request: Step = (shape) => shape.noteRequest();
const sync: Step = (_, { log }) => log.sync();
/** Records that lie before here are not read again. */
const advance: Step = async (_, { log, shapes }) => shapes.advance(await log.sync());

test.each<[string, boolean, readonly Step[]]>([
  ['that nobody asked for, by its record', true, []],
  ['that nobody asked for, by a checkpoint', true, [checkpoint]],
  ['that was asked for, by its record', false, [request, sync]],
  ['that was asked for behind a checkpoint', false, [checkpoint, request, sync]],
  ['that was asked for, by a checkpoint', false, [request, checkpoint]],
  ['that was asked for between two checkpoints', false, [checkpoint, request, advance, checkpoint]],
])('an inner shape %s, is the same after a crash', async (_, isInner, steps) => {
  const disk = new MemoryDisk();
  const before = await open(disk);
  const shape = await innerShape(before);
  for (const step of steps) await step(shape, before);
  disk.crash(seededRandom(1));
  const after = await open(disk);

  expect({ before: shape.isInner, after: after.shapes.get(INNER)?.isInner }).toEqual({ before: isInner, after: isInner });
  await after.close();
});

test('who asks again costs no record, nor does a request for a shape that was made for one', async () => {
  const storage = await open(new MemoryDisk());
  const inner = await innerShape(storage);
  const own = storage.shapes.create(handleOf(2), shapeOf({ where: { column: 'title', equals: 'x' } }));
  const ends: unknown[] = [];
  for (const shape of [inner, inner, own]) {
    shape.noteRequest();
    ends.push(await storage.log.sync());
  }

  expect({ isInner: [inner.isInner, own.isInner], ends: ends.map((end) => end === ends[0]) }).toEqual({
    isInner: [false, false], ends: [true, true, true],
  });
  await storage.close();
});
