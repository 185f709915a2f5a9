/** What is looked at of a shape's lines beside their checksums: lines that hold, each for itself, and are not what was counted. */
import { expect, test } from 'vitest';
import { DiskStanding } from '../../src/storage/disk/disk-standing.ts';
import { ShapeCheck } from '../../src/storage/inspection/shape-check.ts';
import { FileCache } from '../../src/storage/shapes/file-cache.ts';
import { LineDraft } from '../../src/storage/shapes/line-draft.ts';
import { OwnFaults } from '../../src/storage/shapes/own-faults.ts';
import { ShapeFiles } from '../../src/storage/shapes/shape-files.ts';
import { NO_LINES } from '../../src/storage/shapes/shape-lines.ts';
import { ShapePaths } from '../../src/storage/shapes/shape-paths.ts';
import { newShape } from '../../src/storage/shapes/shape-table.ts';
import { LOG_START } from '../../src/model/log-position.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { handleOf, shapeOf } from '../support/shapes.ts';
import { bytes, lsn, offset } from '../support/storage/stored-samples.ts';
import { MemoryDisk } from './memory-disk.ts';

const handle = handleOf(1);

/** What is found of a shape with these lines, each a byte, when a checkpoint counts so much. */
async function found(commits: readonly number[], counted: { end: string; bytes: number; count: number }): Promise<readonly string[]> {
  const disk = new MemoryDisk().mount();
  const paths = new ShapePaths(disk, '/data');
  const faults = new OwnFaults(new DiskStanding(new ManualClock()), new ManualClock());
  const state = newShape(handle, { definition: shapeOf({}), chunkBytesMax: 100, position: LOG_START });
  const files = new ShapeFiles({ disk, files: new FileCache(disk, { idle: 2, uses: 2 }), paths, faults }, state);
  const draft = new LineDraft();
  for (const commit of commits) draft.append(lsn(commit), 0, bytes('1'));
  const batch = draft.take();
  await paths.prepare(handle);
  await files.append(NO_LINES, batch === undefined ? [] : [batch], true);
  const lines = { ...NO_LINES, ...counted, end: offset(counted.end) };
  const damages = await new ShapeCheck(disk, paths, () => {}).damagesOf({ ...state, lines });
  return damages.map((damage) => damage.found);
}

test('lines that are those that were counted, in their order, are no damage', async () => {
  expect(await found([1, 2, 3], { end: '3_0', bytes: 6, count: 3 })).toEqual([]);
});

test('lines that are out of their order are a damage, though each holds', async () => {
  expect(await found([1, 3, 2], { end: '2_0', bytes: 6, count: 3 })).toEqual([
    'The log of shape 1-1 is corrupt: entry 2_0 of its lines comes behind 3_0',
  ]);
});

test('lines that end elsewhere than was counted are a damage, though each holds', async () => {
  expect(await found([1, 2, 3], { end: '4_0', bytes: 6, count: 3 })).toEqual([
    'The log of shape 1-1 is corrupt: its lines end at 3_0 with 6 bytes, not at 4_0 with 6',
  ]);
});
