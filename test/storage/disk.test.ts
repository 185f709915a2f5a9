/** What every disk promises: the one of the system, and the one in memory that stands for it in tests. */
import { constants, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeDisk, throughFlags, type Disk } from '../../src/storage/disk/disk.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';
import { MemoryDisk } from './memory-disk.ts';

const code = (attempt: Promise<unknown>): Promise<unknown> => attempt.then(() => 'done', ({ code: refused }: { code: string }) => refused);

describe.each(['in memory', 'of the system'])('a disk %s', (name) => {
  let directory: string;
  let disk: Disk;
  beforeAll(async () => {
    directory = name === 'in memory' ? '/data' : temporaryDirectory();
    disk = name === 'in memory' ? new MemoryDisk().mount() : nodeDisk;
    await disk.makeDirectory(`${directory}/one/two`);
  });
  afterAll(() => {
    if (name !== 'in memory') removeDirectory(directory);
  });

  test('has of a file what was written to it, and no more of it is read than there is', async () => {
    const file = await disk.open(`${directory}/file`, 'write');
    await file.append(Buffer.from('some bytes'));
    await file.overwrite(5, Buffer.from('BYTES'));
    const written = [file.size, Buffer.from(await file.read(5, 100)).toString(), (await file.read(10, 5)).length];
    await file.truncate(4);
    await file.append(Buffer.from('!'));
    await file.sync();
    await file.close();
    const again = await disk.open(`${directory}/file`, 'write');
    const left = [again.size, Buffer.from(await again.read(0, 100)).toString()];
    await again.close();

    expect({ written, left }).toEqual({ written: [10, 'BYTES', 0], left: [5, 'some!'] });
  });

  test('has what was appended durably, whatever else was done to the file before, and has it in its place', async () => {
    const file = await disk.open(`${directory}/synced`, 'write');
    for (const text of ['a', 'b', 'c']) await file.appendSynced(Buffer.from(text));
    await file.append(Buffer.from('d'));
    for (const text of ['e', '', 'f']) await file.appendSynced(Buffer.from(text));
    await file.overwrite(0, Buffer.from('A'));
    await file.truncate(5);
    for (const text of ['g', 'h']) await file.appendSynced(Buffer.from(text));
    const { size } = file;
    await file.close();
    const again = await disk.open(`${directory}/synced`, 'read');
    const left = Buffer.from(await again.read(0, 100)).toString();
    await again.close();

    expect({ size, left }).toEqual({ size: 7, left: 'Abcdegh' });
  });

  test('refuses with a code what it cannot do, and lists nothing where there is nothing', async () => {
    const path = `${directory}/once`;
    const codes = [
      await code(disk.open(path, 'create').then((file) => file.close())),
      await code(disk.open(path, 'create')),
      await code(disk.open(`${directory}/missing`, 'read')),
      await code(disk.open(`${directory}/missing/file`, 'write')),
      await code(disk.removeFile(`${directory}/missing`)),
      await code(disk.rename(`${directory}/missing`, path)),
      await disk.list(`${directory}/missing`),
    ];

    expect(codes).toEqual(['done', 'EEXIST', 'ENOENT', 'ENOENT', 'ENOENT', 'ENOENT', []]);
  });

  test('moves a file in place of what had the name, and lets go of one', async () => {
    for (const [path, text] of [['one/old', 'old'], ['one/new', 'new'], ['one/gone', '']] as const) {
      const file = await disk.open(`${directory}/${path}`, 'create');
      await file.append(Buffer.from(text));
      await file.close();
    }
    await disk.rename(`${directory}/one/new`, `${directory}/one/old`);
    await disk.removeFile(`${directory}/one/gone`);
    await disk.syncDirectory(`${directory}/one`);
    const moved = await disk.open(`${directory}/one/old`, 'read');
    const content = Buffer.from(await moved.read(0, 100)).toString();
    await moved.close();

    expect([content, [...(await disk.list(`${directory}/one`))].sort()]).toEqual(['new', ['old', 'two']]);
  });

  test('moves a directory with all that is in it', async () => {
    await disk.makeDirectory(`${directory}/here/inside`);
    await (await disk.open(`${directory}/here/inside/file`, 'create')).close();
    await disk.rename(`${directory}/here`, `${directory}/there`);

    expect([await disk.list(`${directory}/here`), await disk.list(`${directory}/there/inside`)]).toEqual([[], ['file']]);
  });
});

test('the disk of the system keeps nothing open of what it makes durable, lists, or closes', async () => {
  const directory = temporaryDirectory();
  const openFiles = (): number => readdirSync('/proc/self/fd').length;
  const before = openFiles();
  for (let time = 0; time < 50; time += 1) {
    await nodeDisk.makeDirectory(`${directory}/${time}`);
    await nodeDisk.syncDirectory(directory);
    const file = await nodeDisk.open(`${directory}/file`, 'write');
    for (const text of ['one', 'two']) await file.appendSynced(Buffer.from(text));
    await file.close();
    await nodeDisk.list(directory);
  }
  const more = openFiles() - before;
  removeDirectory(directory);

  expect(more).toBeLessThan(25);
});

test('a write that is to be durable goes through by itself on Linux alone: elsewhere a sync follows it', () => {
  const flags = ['linux', 'darwin', 'win32', 'freebsd'].map((platform) => throughFlags(platform));

  expect(flags).toEqual([constants.O_WRONLY | constants.O_DSYNC, undefined, undefined, undefined]);
});

test('on the disk of the system each write waits until it is durable, behind a first one whose file was synced', async () => {
  const directory = temporaryDirectory();
  const path = `${directory}/file`;
  const waiting = (): number =>
    readdirSync('/proc/self/fd').filter((fd) => targetOf(`/proc/self/fd/${fd}`) === path && flagsOf(fd) & constants.O_DSYNC).length;
  const file = await nodeDisk.open(path, 'write');
  const seen: number[] = [];
  for (const change of [() => file.appendSynced(Buffer.from('a')), () => file.appendSynced(Buffer.from('b')), () => file.close()]) {
    await change();
    seen.push(waiting());
  }
  removeDirectory(directory);

  expect(seen).toEqual([0, 1, 0]);
});

/** A descriptor may be closed while it is looked at. */
function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

function flagsOf(fd: string): number {
  return Number.parseInt(/^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0', 8);
}
