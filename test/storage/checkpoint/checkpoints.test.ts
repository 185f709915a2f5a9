/** Generations of checkpoints: what they leave on the disk, how large they become, and what is found of them. */
import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import type { LogOffset } from '../../../src/model/log-offset.ts';
import { LOG_START, type LogPosition } from '../../../src/model/log-position.ts';
import { CHECKPOINT_FRAMES, checkpointFrameAt, encodeCheckpointFrame } from '../../../src/storage/checkpoint/checkpoint-frame.ts';
import { readCheckpoint } from '../../../src/storage/checkpoint/checkpoint-reader.ts';
import { stateChange } from '../../../src/storage/checkpoint/checkpoint-states.ts';
import { CheckpointWriter } from '../../../src/storage/checkpoint/checkpoint-writer.ts';
import { openCheckpoints, type Checkpoint } from '../../../src/storage/checkpoint/checkpoints.ts';
import type { DiskFile } from '../../../src/storage/disk/disk.ts';
import { UnknownContentError } from '../../../src/storage/errors.ts';
import { newShape } from '../../../src/storage/shapes/shape-table.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { guarded } from '../../support/storage/guarded-file.ts';
import { MemoryDisk } from '../memory-disk.ts';

const DIRECTORY = '/checkpoint';
const FIRST = `${DIRECTORY}/0000000000000001.checkpoint`;
const at = (position: number): Checkpoint => ({ position: position as LogPosition, changed: [], removed: [] });

/** One more of so many shapes. */
function withShapes(position: number, count: number): Checkpoint {
  const created = { definition: shapeOf({}), chunkBytesMax: 100, position: LOG_START };
  return { ...at(position), changed: Array.from({ length: count }, (_, index) => newShape(handleOf(index), created)) };
}

test('a checkpoint that was refused the removal of one of two generations is made when it is called for again', async () => {
  const disk = new MemoryDisk();
  const first = await openCheckpoints(disk.mount(), DIRECTORY);
  await first.write(at(1));
  disk.fail('remove', 'EIO');
  const second = await openCheckpoints(disk.mount(), DIRECTORY);
  await expect(second.write(at(2))).rejects.toThrow('EIO');
  const found = disk.files.length;
  disk.fail('remove', 'EIO', /2\.checkpoint$/); // The other one goes.
  const third = await openCheckpoints(disk.mount(), DIRECTORY);
  await expect(third.write(at(3))).rejects.toThrow('EIO');
  disk.heal();
  await third.write(at(4));

  const { position } = await openCheckpoints(disk.mount(), DIRECTORY);
  expect({ found, left: disk.files.length, position }).toEqual({ found: 2, left: 1, position: 4 });
});

test('what is cleared does not come back when the power goes, and nothing is left of one that was not finished', async () => {
  const left: string[] = [];
  for (let seed = 0; seed < 10; seed += 1) {
    const disk = new MemoryDisk();
    await (await openCheckpoints(disk.mount(), DIRECTORY)).write(at(1));
    await (await disk.mount().open(`${DIRECTORY}/0000000000000009.checkpoint.new`, 'create')).close();
    const found = await openCheckpoints(disk.mount(), DIRECTORY);
    await found.clear();
    disk.crash(seededRandom(seed));
    left.push(...disk.files);
  }

  expect(left).toEqual([]);
});

test('a generation that has grown to a multiple of what lives in it is followed by the next one', async () => {
  const disk = new MemoryDisk();
  const checkpoints = await openCheckpoints(disk.mount(), DIRECTORY);
  const removed = Array.from({ length: 10_000 }, (_, index) => handleOf(index));
  let bytesMax = 0;
  for (let position = 1; position <= 40; position += 1) {
    await checkpoints.write({ ...at(position), removed });
    bytesMax = Math.max(bytesMax, checkpoints.bytes);
  }

  const [path = ''] = disk.files;
  expect([bytesMax < 1.3 * 1024 * 1024, disk.files.length, path > FIRST]).toEqual([true, 1, true]);
});

test('many shapes are written a bounded piece at a time: between two of them others have a turn', async () => {
  const disk = new MemoryDisk();
  const checkpoints = await openCheckpoints(disk.mount(), DIRECTORY);
  await checkpoints.write(withShapes(1, 5000));
  const content = disk.content(FIRST);
  const sizes: number[] = [];
  for (let place = 0; place < content.length; place += sizes.at(-1) ?? 0) {
    const frame = checkpointFrameAt(1, content, place, place);
    sizes.push(typeof frame === 'object' ? frame.bytes : content.length);
  }

  expect([content.length > 200 * 1024, Math.max(...sizes) < 100 * 1024]).toEqual([true, true]);
});

test('wherever the last checkpoint breaks off, the one before it counts, and that is told', async () => {
  const disk = new MemoryDisk();
  const written = await openCheckpoints(disk.mount(), DIRECTORY);
  await written.write(at(1));
  const before = written.bytes;
  await written.write(withShapes(2, 1));
  const content = disk.content(FIRST);
  const found: string[] = [];
  for (let bytes = before; bytes <= content.length; bytes += 1) {
    disk.damage(FIRST, content.subarray(0, bytes));
    const { position, damage } = await openCheckpoints(disk.mount(), DIRECTORY);
    found.push(`${position}${damage.length > 0 ? ' damaged' : ''}`);
  }

  const broken = Array.from({ length: content.length - before - 1 }, () => '1 damaged');
  expect(found).toEqual(['1', ...broken, '2']);
});

test('shapes that are read have in common what their definitions say alike, and one that has changed keeps it', async () => {
  const disk = new MemoryDisk();
  const first = await openCheckpoints(disk.mount(), DIRECTORY);
  const { changed } = withShapes(1, 3);
  await first.write({ ...at(1), changed });
  const later = changed.map((state) => ({ ...state, pace: { position: LOG_START, isLagging: false } }));
  await first.write({ ...at(2), changed: later });
  const found = [...(await openCheckpoints(disk.mount(), DIRECTORY)).shapes()];

  const parts = found.map(({ definition: { relation, reads, columns } }) => [relation, reads, columns]);
  expect(found).toEqual(later);
  expect(parts.map((own) => own.every((part, index) => part === parts[0]?.[index]))).toEqual([true, true, true]);
});

test('shapes of many frames are read from each frame by itself, whatever the one before it has told', async () => {
  const disk = new MemoryDisk();
  const { changed } = withShapes(1, 2_000);
  await (await openCheckpoints(disk.mount(), DIRECTORY)).write({ ...at(1), changed });
  const found = await openCheckpoints(disk.mount(), DIRECTORY);

  expect({ damage: found.damage, shapes: [...found.shapes()] }).toEqual({ damage: [], shapes: changed });
});

test('of a checkpoint that was not finished nothing is taken, whichever shapes it tells of', async () => {
  const disk = new MemoryDisk();
  const first = await openCheckpoints(disk.mount(), DIRECTORY);
  const { changed } = withShapes(1, 3);
  await first.write({ ...at(1), changed });
  const counted = disk.content(FIRST).length;
  await first.write({ ...at(2), changed: changed.slice(1).map((state) => ({ ...state, isInner: true })), removed: [handleOf(0)] });
  const content = disk.content(FIRST);
  const found: unknown[] = [];
  for (const size of [counted, content.length - 1, content.length]) {
    disk.damage(FIRST, content.slice(0, size));
    const read = await openCheckpoints(disk.mount(), DIRECTORY);
    found.push({ position: read.position, isDamaged: read.damage.length > 0, inner: Array.from(read.shapes(), ({ isInner }) => isInner) });
  }

  const before = { position: 1, inner: [false, false, false] };
  expect(found).toEqual([
    { ...before, isDamaged: false }, { ...before, isDamaged: true }, { position: 2, isDamaged: false, inner: [true, true] },
  ]);
});

/** As the first generation. @returns its bytes. */
async function writeFrames(disk: MemoryDisk, frames: readonly (readonly [number, unknown])[]): Promise<number> {
  await disk.mount().makeDirectory(DIRECTORY);
  const file = await disk.mount().open(FIRST, 'create');
  let size = 0;
  for (const [kind, payload] of frames) {
    const frame = encodeCheckpointFrame(1, size, kind, JSON.stringify(payload));
    await file.append(frame);
    size += frame.length;
  }
  await file.close();
  return size;
}

test('a frame of a kind that is not known is not passed over: who wrote it may have said there what a shape is', async () => {
  const disk = new MemoryDisk();
  const kind = Math.max(...Object.values(CHECKPOINT_FRAMES)) + 1;
  await writeFrames(disk, [
    [CHECKPOINT_FRAMES.head, { format: 1, generation: 1 }], [kind, []], [CHECKPOINT_FRAMES.closed, { position: 7 }],
  ]);

  await expect(openCheckpoints(disk.mount(), DIRECTORY)).rejects.toThrow(UnknownContentError);
});

test('a file of format 6, which says of each shape all of its definition, is read as it is, and the next one has it in brief', async () => {
  const disk = new MemoryDisk();
  const { changed } = withShapes(1, 3);
  const size = await writeFrames(disk, [
    [CHECKPOINT_FRAMES.head, { format: 1, generation: 1 }],
    [CHECKPOINT_FRAMES.shapes, changed.map((state) => stateChange(state, undefined))],
    [CHECKPOINT_FRAMES.closed, { position: 7 }],
  ]);
  const older = await openCheckpoints(disk.mount(), DIRECTORY);
  const found = { position: older.position, damage: older.damage, shapes: [...older.shapes()] };
  await older.write(at(8));
  const newer = await openCheckpoints(disk.mount(), DIRECTORY);

  expect({ found, next: [newer.position, [...newer.shapes()]], isShorter: older.bytes < size }).toEqual({
    found: { position: 7, damage: [], shapes: changed }, next: [8, changed], isShorter: true,
  });
});

test('whichever byte of a file is another one, that is found, and what counts is the checkpoint before it or none', async () => {
  const disk = new MemoryDisk();
  const written = await openCheckpoints(disk.mount(), DIRECTORY);
  await written.write(withShapes(1, 2));
  const before = written.bytes;
  await written.write(withShapes(2, 3));
  const content = Buffer.from(disk.content(FIRST));
  const found: unknown[] = [];
  for (let place = 0; place < content.length; place += 1) {
    const damaged = Buffer.from(content);
    damaged.writeUInt8(damaged.readUInt8(place) ^ (1 << place % 8), place);
    disk.damage(FIRST, damaged);
    const read = await openCheckpoints(disk.mount(), DIRECTORY);
    found.push({ position: read.position, damage: read.damage.length, shapes: [...read.shapes()].length });
  }

  expect(found).toEqual(Array.from(content, (_, place) => {
    return place < before ? { position: LOG_START, damage: 1, shapes: 0 } : { position: 1, damage: 1, shapes: 2 };
  }));
});

test('of a frame whose length does not hold no more is read than the file has', async () => {
  const disk = new MemoryDisk();
  await (await openCheckpoints(disk.mount(), DIRECTORY)).write(at(1));
  const content = Buffer.from(disk.content(FIRST));
  content.writeUInt32LE(200 * 1024 * 1024);
  disk.damage(FIRST, content);
  const file = guarded(await disk.mount().open(FIRST, 'read'), () => Promise.resolve());
  let bytesMax = 0;
  const read: DiskFile['read'] = (from, length) => {
    bytesMax = Math.max(bytesMax, length);
    return file.read(from, length);
  };
  const { position, brokenAt } = await readCheckpoint({ ...file, size: content.length, read }, FIRST, 1);

  expect({ position, brokenAt, isBounded: bytesMax <= 1024 * 1024 }).toEqual({ position: undefined, brokenAt: 0, isBounded: true });
});

test('a frame is bounded, though each of its shapes has as many blocks in packs as there may be', async () => {
  const disk = new MemoryDisk();
  const file = await disk.mount().open('/frames', 'create');
  const sizes: number[] = [];
  const append: DiskFile['append'] = (frame) => {
    sizes.push(frame.length);
    return file.append(frame);
  };
  const after = (index: number): LogOffset => `${2 ** 40 + index}_0` as LogOffset;
  const tail = Array.from({ length: 16 }, (_, index) => ({ pack: 123, at: 10_000_000 + index, bytes: 250, count: 1, after: after(index) }));
  const told = withShapes(1, 2_000).changed;
  const changed = told.map((state) => ({ ...state, lines: { ...state.lines, tail } }));
  const lastOf = new Map(told.map((state) => [state.handle, state]));
  await new CheckpointWriter({ ...guarded(file, () => Promise.resolve()), append }, 1).putStates(changed, (handle) => lastOf.get(handle));

  expect({ isBounded: Math.max(...sizes) < 2 * 64 * 1024, areMany: sizes.length > 20 }).toEqual({ isBounded: true, areMany: true });
});
