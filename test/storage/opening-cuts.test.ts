/** The power goes while a storage directory is opened, or right behind that. */
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { handleOf, shapeOf } from '../support/shapes.ts';
import { grow, snapshotOf } from '../support/storage/stored-samples.ts';
import { MemoryDisk } from './memory-disk.ts';

const FORMAT = '/data/format';

function opened(disk: MemoryDisk): Promise<Storage> {
  const processes = { self: { host: 'here', pid: 1, start: '' }, isAlive: () => false };
  return openStorage({ directory: '/data', clock: new ManualClock(), disk: disk.mount(), segmentBytesMax: 600, processes });
}

/** What the power leaves, in several ways. */
function cuts(disk: MemoryDisk, count = 8): readonly MemoryDisk[] {
  return Array.from({ length: count }, (_, seed) => {
    const cut = disk.image();
    cut.crash(seededRandom(seed));
    return cut;
  });
}

const logFiles = ({ files }: MemoryDisk): readonly string[] => files.filter((path) => path.endsWith('.log'));
/** What their files say; false of one that has none. */
const formatsOf = (disks: readonly MemoryDisk[]) => {
  return new Set(disks.map((disk) => disk.files.includes(FORMAT) && String(disk.content(FORMAT))));
};

test('the format of a directory that is taken over from an older version is durable before anything else is written', async () => {
  const disk = new MemoryDisk();
  await (await opened(disk)).close();
  disk.damage(FORMAT, Buffer.from('3\n'));
  const storage = await opened(disk);
  const left = formatsOf(cuts(disk));
  await storage.close();

  expect(left).toEqual(new Set(['7\n']));
});

test('what was left of a format that was being written is not what is found', async () => {
  const disk = new MemoryDisk();
  await disk.mount().makeDirectory('/data');
  await (await disk.mount().open(`${FORMAT}.new`, 'create')).close();
  disk.damage(`${FORMAT}.new`, Buffer.from('zeroes, or others'));
  await (await opened(disk)).close();

  expect(String(disk.content(FORMAT))).toBe('7\n');
});

test('when the power goes while a damaged log is taken away, no shape comes back to what is left of it', async () => {
  const disk = new MemoryDisk();
  const first = await opened(disk);
  const shape = first.shapes.create(handleOf(1), shapeOf({}));
  await snapshotOf(shape, []);
  for (let commit = 1; commit <= 3; commit += 1) first.shapes.advance(await grow(first, commit));
  shape.publish(first.shapes.position);
  await first.shapes.checkpoint();
  for (let commit = 4; commit <= 20; commit += 1) await grow(first, commit);
  disk.kill();
  const path = logFiles(disk).at(-2) ?? ''; // What lies behind shows that it was durable.
  disk.damage(path, Buffer.from(disk.content(path)).fill(0, 100));
  const images: MemoryDisk[] = [];
  const segments = logFiles(disk).length;
  disk.beforeChange = () => {
    if (logFiles(disk).length < segments) images.push(disk.image());
  };
  const begun = await opened(disk);
  disk.beforeChange = () => {};
  const shapes = new Set<number>();
  for (const cut of images.slice(segments - 1, segments + 1).flatMap((image) => cuts(image, 96))) {
    const storage = await opened(cut);
    shapes.add([...storage.shapes.all()].length);
    await storage.close();
  }

  expect({ notes: begun.notes.length, shapes }).toEqual({ notes: 1, shapes: new Set([0]) });
  await begun.close();
});
