/** Many shapes in one storage: how many files are open for them, and that nothing of them is left when they have ended. */
import { expect, test } from 'vitest';
import type { Handle } from '../../../src/model/shape.ts';
import type { Disk } from '../../../src/storage/disk/disk.ts';
import { openStorage } from '../../../src/storage/open-storage.ts';
import { ShapePaths } from '../../../src/storage/shapes/shape-paths.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { appendLines, bodyOf, offset, snapshotOf } from '../../support/storage/stored-samples.ts';
import { MemoryDisk } from '../memory-disk.ts';

const COUNT = 100;
const DIRECTORIES = 4;
const paths = new ShapePaths(new MemoryDisk().mount(), '/store');
/** All in a few directories. */
const handles = handlesInFew();
/** Of the places at which a process may be killed, one of so many is looked at. */
const CUT_STEP = 13;

function handlesInFew(): readonly Handle[] {
  const all = Array.from({ length: 100 * COUNT }, (_, index) => handleOf(index + 1));
  const few = new Set([...new Set(all.map((handle) => paths.directoryOf(handle)))].slice(0, DIRECTORIES));
  return all.filter((handle) => few.has(paths.directoryOf(handle))).slice(0, COUNT);
}

function open(disk: MemoryDisk, mounted: Disk = disk.mount()): Promise<Storage> {
  const processes = { self: { host: 'here', pid: 1, start: '' }, isAlive: () => false };
  return openStorage({ directory: '/store', clock: new ManualClock(), disk: mounted, processes, packing: { fewBytesMax: 0 } });
}

/** Each with a snapshot and a line, all of it in files. */
async function fill({ shapes }: Storage): Promise<void> {
  for (const handle of handles) {
    const shape = shapes.create(handle, shapeOf({ where: { column: 'title', equals: handle } }));
    await snapshotOf(shape, ['"a row"']);
    appendLines(shape, 10, ['"a line"']);
  }
  await shapes.checkpoint();
}

function filesOfShapes({ files }: MemoryDisk): string[] {
  return files.filter((path) => path.startsWith('/store/shapes/'));
}

test('a start opens none of their files, and when all of them have been read fewer than 64 files are open', async () => {
  const disk = new MemoryDisk();
  const before = await open(disk);
  await fill(before);
  await before.close();
  const [closed, looked] = [disk.openFiles, lookedAt(disk)];
  const storage = await open(disk, looked.disk);
  const atStart = looked.files.filter((path) => path.startsWith('/store/shapes/'));
  for (const place of ['-1', '0_inf']) {
    await Promise.all(handles.map((handle) => readFrom(storage, handle, place)));
  }

  expect({ closed, atStart, isBounded: disk.openFiles < 64 }).toEqual({ closed: 0, atStart: [], isBounded: true });
  await storage.close();
});

test('many that end together leave nothing, each directory is read once for all of them, and a start afterwards finds none', async () => {
  const disk = new MemoryDisk();
  const looked = lookedAt(disk);
  const storage = await open(disk, looked.disk);
  await fill(storage);
  looked.directories.length = 0;
  for (const handle of handles) storage.shapes.delete(handle, 'a test');
  await storage.close();
  const read = looked.directories.filter((path) => path.startsWith('/store/shapes/'));
  const left = filesOfShapes(disk);
  const again = await open(disk);
  const found = [...again.shapes.all()];
  await again.close();

  expect({ left, found, read: read.length }).toEqual({ left: [], found: [], read: DIRECTORIES });
});

test('wherever the process is killed while many end, those that come back are whole, and of the others nothing is left', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk);
  await fill(storage);
  const images: MemoryDisk[] = [];
  let changes = 0;
  disk.beforeChange = () => {
    if (changes % CUT_STEP === 0) images.push(disk.image());
    changes += 1;
  };
  for (const handle of handles) storage.shapes.delete(handle, 'a test');
  await storage.close();
  disk.beforeChange = () => {};

  const wrong: unknown[] = [];
  for (const [index, image] of images.entries()) {
    const after = await open(image);
    const living = Array.from(after.shapes.all(), ({ handle }) => handle);
    const bodies = await Promise.all(living.map((handle) => readFrom(after, handle, '-1')));
    await after.close();
    const left = filesOfShapes(image).filter((path) => !living.some((handle) => isOf(path, handle)));
    const broken = bodies.filter((body) => !('body' in body) || !body.body.startsWith('"a row"'));
    if (left.length + broken.length > 0) wrong.push({ index, left, broken });
  }

  expect({ wrong, areMany: images.length > 20 }).toEqual({ wrong: [], areMany: true });
});

function readFrom({ shapes }: Storage, handle: Handle, place: string) {
  return bodyOf(shapes.get(handle)?.read(offset(place)) ?? { outcome: 'beyond' });
}

function isOf(path: string, handle: Handle): boolean {
  return path.split('/').at(-1)?.startsWith(`${handle}.`) === true;
}

/** The disk, and what is opened on it and listed. */
function lookedAt(memory: MemoryDisk): { readonly disk: Disk; readonly files: string[]; readonly directories: string[] } {
  const [mounted, files, directories] = [memory.mount(), [] as string[], [] as string[]];
  const disk: Disk = {
    makeDirectory: (path) => mounted.makeDirectory(path),
    syncDirectory: (path) => mounted.syncDirectory(path),
    list: (path) => {
      directories.push(path);
      return mounted.list(path);
    },
    open: (path, mode) => {
      files.push(path);
      return mounted.open(path, mode);
    },
    rename: (from, to) => mounted.rename(from, to),
    removeFile: (path) => mounted.removeFile(path),
  };
  return { disk, files, directories };
}
