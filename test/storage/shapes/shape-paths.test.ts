/** Where the files of shapes lie, and which files are ours. */
import { expect, test } from 'vitest';
import type { Handle } from '../../../src/model/shape.ts';
import { ShapePaths } from '../../../src/storage/shapes/shape-paths.ts';
import { handleOf } from '../../support/shapes.ts';
import { MemoryDisk } from '../memory-disk.ts';

const handle = handleOf(1);

async function leave(disk: MemoryDisk, path: string): Promise<void> {
  await disk.mount().makeDirectory(path.slice(0, path.lastIndexOf('/')));
  await (await disk.mount().open(path, 'create')).close();
}

test('a directory that the disk refused is made when the next shape needs it', async () => {
  const disk = new MemoryDisk();
  const paths = new ShapePaths(disk.mount(), '/data');
  disk.fail('create', 'ENOSPC');
  const refused = await paths.prepare(handle).catch((error: Error) => error.message);
  disk.heal();
  await paths.prepare(handle);

  expect([refused, await disk.mount().list('/data/shapes')]).toEqual(['cannot create /data/shapes: ENOSPC', ['5f']]);
});

test('names of many shapes in a directory are made durable together: those that come meanwhile by the next sync', async () => {
  const disk = new MemoryDisk();
  const paths = new ShapePaths(disk.mount(), '/data');
  await leave(disk, paths.snapshotPathOf(handle));
  const { changes } = disk.asked;
  await Promise.all(Array.from({ length: 8 }, () => paths.syncNames(handle)));
  const together = disk.asked.changes - changes;
  await paths.syncNames(handle);

  expect([together, disk.asked.changes - changes]).toEqual([2, 3]);
});

test('of names that could not be made durable all are told who wait, and the next who asks has it done', async () => {
  const disk = new MemoryDisk();
  const paths = new ShapePaths(disk.mount(), '/data');
  await leave(disk, paths.snapshotPathOf(handle));
  disk.refuse({ of: 'changes', from: disk.asked.changes, count: 1, code: 'EIO' }); // Later it would say that all is well.
  const asked = Array.from({ length: 3 }, () => paths.syncNames(handle));
  const told = await Promise.allSettled(asked);
  const later = await Promise.allSettled([paths.syncNames(handle)]);

  expect([...told, ...later].map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'fulfilled']);
});

test('things are put by the directories of their shapes, and none is lost', () => {
  const paths = new ShapePaths(new MemoryDisk().mount(), '/data');
  const handles = Array.from({ length: 2_000 }, (_, number) => handleOf(number));
  const ordered = paths.inDirectories(handles, (each) => each);
  const changes = ordered.filter((each, at) => at > 0 && paths.directoryOf(each) !== paths.directoryOf(ordered[at - 1] ?? each));
  const directories = new Set(handles.map((each) => paths.directoryOf(each)));

  expect({ all: new Set(ordered).size, changes: changes.length }).toEqual({ all: handles.length, changes: directories.size - 1 });
});

test('what has another name, or lies where no file of that shape would, is not ours, and stays', async () => {
  const disk = new MemoryDisk();
  const paths = new ShapePaths(disk.mount(), '/data');
  for (const name of ['5f/1-1.snapshot', '5f/1-1.2.index', '5f/1-1.7.moved']) await leave(disk, `/data/shapes/${name}`);
  const others = ['00/1-1.3.lines', '5f/1-1.snapshot.bak', '5f/1-1.0.lines', 'notes/1-1.snapshot'].map((name) => `/data/shapes/${name}`);
  for (const path of others) await leave(disk, path);
  const { files: stored } = await paths.stored();
  await paths.discard([handle]);

  const found = [...stored].map(([each, { hasSnapshot, lines }]) => [each, hasSnapshot, [...lines.keys()]]);
  expect({ found, files: disk.files }).toEqual({
    found: [[handle, true, [2]]], files: [...others].sort(),
  });
});

test('a directory that cannot be listed keeps only its own files: all others go, and it is told which have', async () => {
  const disk = new MemoryDisk();
  const paths = new ShapePaths(disk.mount(), '/data');
  const handles = [1, 2, 3].map(handleOf);
  for (const each of handles) await leave(disk, paths.snapshotPathOf(each));
  disk.fail('list', 'EIO', /5f$/);
  const gone: Handle[] = [];
  const told = await paths.discard(handles, (each) => gone.push(each)).catch((error: Error) => error.message);

  expect({ told, gone, files: disk.files }).toEqual({
    told: 'cannot list /data/shapes/5f: EIO', gone: handles.slice(1), files: [paths.snapshotPathOf(handle)],
  });
});

test('of a directory, two names are removed at once, so that the log finds a free hand of the system', async () => {
  const mounted = new MemoryDisk().mount();
  let [under, most] = [0, 0];
  const removeFile = async (): Promise<void> => {
    most = Math.max(most, ++under);
    await Promise.resolve();
    under -= 1;
  };
  const list = (): Promise<string[]> => Promise.resolve(together.map((each) => `${each}.snapshot`));
  const paths = new ShapePaths({ ...mounted, list, removeFile }, '/data');
  const together = Array.from({ length: 3_000 }, (_, number) => handleOf(number)).filter((each) => {
    return paths.directoryOf(each) === paths.directoryOf(handle);
  });
  await paths.discard(together);

  expect([together.length > 4, most]).toEqual([true, 2]);
});
