/** Where the files of shapes lie, and which files are ours. */
import { expect, test } from 'vitest';
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

test('what has another name, or lies where no file of that shape would, is not ours, and stays', async () => {
  const disk = new MemoryDisk();
  const paths = new ShapePaths(disk.mount(), '/data');
  for (const name of ['5f/1-1.snapshot', '5f/1-1.2.index', '5f/1-1.7.moved']) await leave(disk, `/data/shapes/${name}`);
  const others = ['00/1-1.3.lines', '5f/1-1.snapshot.bak', '5f/1-1.0.lines', 'notes/1-1.snapshot'].map((name) => `/data/shapes/${name}`);
  for (const path of others) await leave(disk, path);
  const stored = await paths.stored();
  await paths.discard([handle]);

  const found = [...stored].map(([each, { hasSnapshot, lines }]) => [each, hasSnapshot, [...lines.keys()]]);
  expect({ found, files: disk.files }).toEqual({
    found: [[handle, true, [2]]], files: [...others].sort(),
  });
});
