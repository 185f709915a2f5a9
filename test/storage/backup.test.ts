/** A copy made beside a storage that works is what a power cut could have left, whatever is checkpointed and deleted meanwhile. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { RowLineFolder } from '../../src/shapes/row-line-folder.ts';
import { lsnOfOffset, SNAPSHOT_END } from '../../src/model/log-offset.ts';
import type { Handle } from '../../src/model/shape.ts';
import { nodeDisk, type Disk } from '../../src/storage/disk/disk.ts';
import { backUp } from '../../src/storage/inspection/backup.ts';
import { seeStorage } from '../../src/storage/inspection/seen-storage.ts';
import { inspectStorage, verifyStorage } from '../../src/storage/inspection/verification.ts';
import { openStorage, type StorageOptions } from '../../src/storage/open-storage.ts';
import { ShapePaths } from '../../src/storage/shapes/shape-paths.ts';
import type { ShapeLog } from '../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { handleOf, shapeOf } from '../support/shapes.ts';
import { appendTransaction, bodyOf, bytes, lsn, readAll, snapshotOf } from '../support/storage/stored-samples.ts';
import { lineOf } from '../support/storage/row-lines.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';
import { EAGER } from './compaction/compacting-world.ts';
import { MemoryDisk } from './memory-disk.ts';

const SHAPES_MAX = 5;
const SMALL = {
  chunkBytesMax: 2_000, segmentBytesMax: 4_096, tailBytesMax: 4_096, packing: { fewBytesMax: 1_000, packBytesMax: 2_000, movedCountMax: 1 },
};
let root: string;
beforeEach(() => {
  root = temporaryDirectory();
});
afterEach(() => removeDirectory(root));

function open(name: string, more: Pick<StorageOptions, 'folder' | 'compaction' | 'packing'> = {}): Promise<Storage> {
  return openStorage({ directory: `${root}/${name}`, clock: new ManualClock(), ...SMALL, ...more });
}

/** A storage at work: each transaction gives each shape a line that says which it is. */
class Work {
  private readonly random = seededRandom(3);
  private commit = 0;
  private made = 0;

  constructor(private readonly storage: Storage) {}

  async step(): Promise<void> {
    const { log, shapes } = this.storage;
    this.commit += 1;
    appendTransaction(log, this.commit, ['x'.repeat(this.random.below(400))]);
    const through = await log.sync();
    for (const shape of shapes.all()) {
      shape.append(lsn(this.commit), 0, bytes(JSON.stringify(this.commit)));
      shape.publish(through);
    }
    shapes.advance(through);
    if ([...shapes.all()].length < SHAPES_MAX) await this.createShape();
    if (this.random.below(8) === 0) this.deleteShape();
    if (this.random.below(4) > 0) return;
    await shapes.checkpoint();
    await log.release(shapes.releasable);
  }

  private async createShape(): Promise<void> {
    this.made += 1;
    const rows = [JSON.stringify('row '.repeat(this.made % 2 === 0 ? 400 : 100))]; // Each other one is in a pack.
    await snapshotOf(this.storage.shapes.create(handleOf(this.made), shapeOf({})), rows);
  }

  private deleteShape(): void {
    const handles = [...this.storage.shapes.all()].map(({ handle }) => handle);
    const handle = handles[this.random.below(handles.length)];
    if (handle !== undefined) this.storage.shapes.delete(handle, 'a test');
  }
}

async function commitsIn(storage: Storage, handle: Handle): Promise<readonly number[]> {
  const shape = storage.shapes.get(handle);
  const commits: number[] = [];
  for (let after = SNAPSHOT_END, isOver = false; shape !== undefined && !isOver; ) {
    const read = await bodyOf(shape.read(after));
    if (!('body' in read)) return [];
    if (read.body !== '') commits.push(...(JSON.parse(`[${read.body}]`) as number[]));
    [after, isOver] = [read.end as typeof after, read.upToDate];
  }
  return commits;
}

/** What is wrong with a restored copy. */
async function faultsOf(copy: Storage, leftOut: readonly Handle[]): Promise<readonly string[]> {
  const faults = copy.notes.filter((note) => !leftOut.some((handle) => note.startsWith(`Files of shape ${handle} are missing`)));
  const behind = (await readAll(copy.log, copy.shapes.position)).map(({ lsn: commit }) => Number(commit));
  const last = Number(copy.log.lastCommitLsn);
  if (!isRun(behind) || (behind.length > 0 && behind.at(-1) !== last)) faults.push(`the log has ${behind}, and ends with ${last}`);
  for (const { handle } of copy.shapes.all()) {
    const commits = await commitsIn(copy, handle);
    const isWhole = isRun(commits) && (commits.length === 0 || behind.length === 0 || (commits.at(-1) ?? 0) + 1 >= (behind[0] ?? 0));
    if (!isWhole) faults.push(`${handle} has ${commits}, and the log goes on with ${behind}`);
  }
  return faults;
}

function isRun(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => index === 0 || number === (numbers[index - 1] ?? 0) + 1);
}

/** By files that are opened: a copy is overtaken now and then and not each time, however slow it is. */
const STEP_EVERY = 16;

/** The disk, with somebody at work beside who reads it: the more of it is read, the more is worked. */
class DiskOfWork {
  working = Promise.resolve();
  private opened = 0;

  constructor(private readonly step: () => Promise<void>) {}

  mount(): Disk {
    return {
      ...nodeDisk,
      open: (path, mode) => {
        this.opened += 1;
        if (this.opened % STEP_EVERY === 0) this.working = this.working.then(this.step);
        return nodeDisk.open(path, mode);
      },
    };
  }
}

test('each of five copies made while it works is whole, and so is the storage that was read', async () => {
  const storage = await open('storage');
  const work = new Work(storage);
  for (let step = 0; step < 60; step += 1) await work.step();
  const disk = new DiskOfWork(() => work.step());
  const faults: string[] = [];
  let shapes = 0;
  for (let copy = 0; copy < 5; copy += 1) {
    const backup = await backUp(disk.mount(), `${root}/storage`, `${root}/copy ${copy}`, () => {});
    const { damages } = await verifyStorage(disk.mount(), `${root}/storage`, () => {});
    const restored = await open(`copy ${copy}`);
    faults.push(...damages.map(({ found }) => found), ...(await faultsOf(restored, backup.leftOut)));
    if ([...restored.shapes.all()].length !== backup.shapes) faults.push(`${backup.shapes} shapes were told`);
    shapes += backup.shapes;
    await restored.close();
  }
  await disk.working;
  await storage.close();

  expect({ faults, hasShapes: shapes > 10 }).toEqual({ faults: [], hasShapes: true });
});

test('copies, and looks, beside a storage that compacts its lines find these where they count', async () => {
  const compacting = { folder: new RowLineFolder(), compaction: EAGER };
  const storage = await open('storage', compacting);
  const shapes = [1, 2, 3].map((number) => storage.shapes.create(handleOf(number), shapeOf({})));
  for (const shape of shapes) await snapshotOf(shape, []);
  let commit = 0;
  while (!shapes.every(isCompacted)) await update(storage, (commit += 1));
  const disk = new DiskOfWork(() => update(storage, (commit += 1)));
  const faults: string[] = [];
  let compacted = 0;
  for (let copy = 0; copy < 5; copy += 1) {
    const { leftOut } = await backUp(disk.mount(), `${root}/storage`, `${root}/copy ${copy}`, () => {});
    const { damages } = await verifyStorage(disk.mount(), `${root}/storage`, () => {});
    const restored = await open(`copy ${copy}`, compacting);
    faults.push(...leftOut, ...damages.map(({ found }) => found), ...restored.notes);
    for (const shape of restored.shapes.all()) {
      compacted += isCompacted(shape) ? 1 : 0;
      const [found, expected] = [await titlesIn(shape), titlesThrough(Number(lsnOfOffset(shape.end)))];
      if (JSON.stringify(found) !== JSON.stringify(expected)) faults.push(`${shape.end}: ${JSON.stringify(found)}`);
    }
    await restored.close();
  }
  await disk.working;
  await storage.close();

  expect({ faults, compacted }).toEqual({ faults: [], compacted: 15 });
});

function isCompacted({ compactedThrough }: ShapeLog): boolean {
  return compactedThrough !== SNAPSHOT_END;
}

const KEYS = 3;

async function update({ log, shapes }: Storage, commit: number): Promise<void> {
  appendTransaction(log, commit, ['an update']);
  const through = await log.sync();
  const stamp = { xid: commit, lsn: commit, position: 0, isLast: true };
  const line = lineOf({ do: 'update', key: String(commit % KEYS), value: { title: String(commit) } }, stamp);
  for (const shape of shapes.all()) {
    shape.append(lsn(commit), 0, bytes(line));
    shape.publish(through);
  }
  shapes.advance(through);
  if (commit % 2 > 0) return;
  await shapes.checkpoint();
  await log.release(shapes.releasable);
}

/** By row, what it was updated to last. */
async function titlesIn(shape: ShapeLog): Promise<Readonly<Record<string, string>>> {
  const titles: Record<string, string> = {};
  for (let after = SNAPSHOT_END, isOver = false; !isOver; ) {
    const read = await bodyOf(shape.read(after));
    if (!('body' in read)) return titles;
    for (const { key, value } of JSON.parse(`[${read.body}]`) as { key: string; value: { title: string } }[]) titles[key] = value.title;
    [after, isOver] = [read.end as typeof after, read.upToDate];
  }
  return titles;
}

function titlesThrough(last: number): Readonly<Record<string, string>> {
  const titles: Record<string, string> = {};
  for (let commit = 1; commit <= last; commit += 1) titles[String(commit % KEYS)] = String(commit);
  return titles;
}

/** A storage that has worked, and was closed, on a disk in memory. */
async function worked(disk: MemoryDisk, steps: number): Promise<void> {
  const storage = await openStorage({ directory: '/storage', clock: new ManualClock(), disk: disk.mount(), ...SMALL });
  const work = new Work(storage);
  for (let step = 0; step < steps; step += 1) await work.step();
  await storage.close();
}

test('a copy is there, and whole, when the power goes right behind it', async () => {
  const disk = new MemoryDisk();
  await worked(disk, 30);
  const { shapes } = await backUp(disk.mount(), '/storage', '/copies/copy', () => {});
  const found: string[] = [];
  for (let seed = 0; seed < 10; seed += 1) {
    const cut = disk.image();
    cut.crash(seededRandom(seed));
    const { damages, shapeCount } = await verifyStorage(cut.mount(), '/copies/copy', () => {});
    found.push(...damages.map((damage) => `${seed}: ${damage.found}`), ...(shapeCount === shapes ? [] : [`${seed}: ${shapeCount} shapes`]));
  }

  expect({ found, hasShapes: shapes > 2 }).toEqual({ found: [], hasShapes: true });
});

test('of a storage with a file that is shorter than it should be there is no copy, and which file that is', async () => {
  const disk = new MemoryDisk();
  await worked(disk, 30);
  const path = disk.files.find((each) => each.endsWith('.snapshot')) ?? '';
  disk.damage(path, disk.content(path).subarray(1));
  const refused = await backUp(disk.mount(), '/storage', '/copies/copy', () => {}).catch((error: Error) => error.message);

  expect(refused).toBe(
    `${path} is missing, or shorter than it should be: verify the storage. What was copied is in /copies/copy.new: remove it`,
  );
});

test('a look that finds an old checkpoint, and the log as it is by a newer one, is begun again', async () => {
  const memory = new MemoryDisk();
  await worked(memory, 30);
  const [before, now] = [memory.image().mount(), memory.mount()];
  const storage = await openStorage({ directory: '/storage', clock: new ManualClock(), disk: now, ...SMALL });
  for (let commit = 1_000; commit < 1_100; commit += 1) appendTransaction(storage.log, commit, ['x'.repeat(400)]);
  storage.shapes.advance(await storage.log.sync());
  for (const shape of storage.shapes.all()) shape.publish(storage.shapes.position);
  await storage.shapes.checkpoint();
  await storage.log.release(storage.shapes.releasable);
  let looks = 0;
  const lagging = (path: string): Disk => (path.includes('/checkpoint') && looks === 0 ? before : now);
  const disk: Disk = {
    ...nodeDisk,
    list: (path) => lagging(path).list(path),
    open: (path, mode) => {
      const from = lagging(path);
      if (path.includes('/checkpoint/')) looks += 1;
      return from.open(path, mode);
    },
  };
  const { shapes, damages } = await seeStorage(disk, '/storage');
  await storage.close();

  expect({ damages, shapes: shapes.length, looks }).toEqual({ damages: [], shapes: [...storage.shapes.all()].length, looks: 2 });
});

test('beside a storage that compacts without end, what does not change is copied once', async () => {
  const storage = await open('storage', { packing: { fewBytesMax: 0 } });
  for (const number of [1, 2]) await snapshotOf(storage.shapes.create(handleOf(number), shapeOf({})), [JSON.stringify('row')]);
  await storage.shapes.checkpoint();
  const [replaced, still] = [1, 2].map((number) => new ShapePaths(nodeDisk, `${root}/storage`).snapshotPathOf(handleOf(number)));
  const opened = new Map<string, number>();
  const disk: Disk = {
    ...nodeDisk,
    async open(path, mode) {
      const times = (opened.get(path) ?? 0) + 1;
      opened.set(path, times);
      if (path === replaced && times <= 20) return await nodeDisk.open(`${path} is elsewhere by now`, 'read');
      return await nodeDisk.open(path, mode);
    },
  };
  const { shapes, leftOut } = await backUp(disk, `${root}/storage`, `${root}/copy`, () => {});
  await storage.close();
  const copy = await open('copy');

  expect({ shapes, leftOut, times: opened.get(still ?? ''), faults: await faultsOf(copy, []) }).toEqual({
    shapes: 2, leftOut: [], times: 1, faults: [],
  });
  await copy.close();
});

test('a target with something in it, or with a copy that was broken off beside it, is left alone', async () => {
  await (await open('storage')).close();
  await nodeDisk.makeDirectory(`${root}/full/of`);
  await nodeDisk.makeDirectory(`${root}/begun.new/log`);
  const attempts = ['full', 'begun'].map((name) => backUp(nodeDisk, `${root}/storage`, `${root}/${name}`, () => {}));

  const told = (await Promise.allSettled(attempts)).map((each) => each.status === 'rejected' && (each.reason as Error).message);
  expect(told).toEqual([
    `${root}/full is not empty: name another target, or remove it`,
    `${root}/begun.new is not empty: name another target, or remove it`,
  ]);
});

test('who only looks beside a service is told of no shape that one look alone has missed', async () => {
  const storage = await open('storage');
  const work = new Work(storage);
  for (let step = 0; step < 20; step += 1) await work.step();
  await storage.shapes.checkpoint();
  await storage.close();
  let looks = 0;
  const disk: Disk = {
    ...nodeDisk,
    list: async (path) => (path.endsWith('/shapes') && (looks += 1) === 1 ? [] : await nodeDisk.list(path)),
  };

  const { shapes, damages } = await inspectStorage(disk, `${root}/storage`);

  const hasLookedAgain = looks > 2; // Each look lists them twice.
  expect({ damages, hasShapes: shapes.length > 0, hasLookedAgain }).toEqual({ damages: [], hasShapes: true, hasLookedAgain: true });
});

test('a shape whose files were filed anew is not left out because one look alone has missed it', async () => {
  const storage = await open('storage', { packing: { fewBytesMax: 0 } });
  await snapshotOf(storage.shapes.create(handleOf(1), shapeOf({})), [JSON.stringify('row')]);
  await storage.shapes.checkpoint();
  await storage.close();
  const path = new ShapePaths(nodeDisk, `${root}/storage`).snapshotPathOf(handleOf(1));
  let [opened, missed] = [0, 0];
  const disk: Disk = {
    ...nodeDisk,
    open: (each, mode) => nodeDisk.open(each === path && (opened += 1) === 1 ? `${path} is elsewhere by now` : each, mode),
    list: async (each) => (each.endsWith('/storage/shapes') && opened === 1 && (missed += 1) === 1 ? [] : await nodeDisk.list(each)),
  };

  const { shapes, leftOut } = await backUp(disk, `${root}/storage`, `${root}/copy`, () => {});

  expect({ shapes, leftOut, missed: missed > 0 }).toEqual({ shapes: 1, leftOut: [], missed: true });
});
