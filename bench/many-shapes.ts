/**
 * Many shapes in one storage, without a service around it: what they cost to open, how many files are open for them, and that nothing of
 * them is left when they have ended, also where the process is killed in the middle of that.
 *
 *   npm run bench:many-shapes                              100,000 shapes
 *   npm run bench:many-shapes -- --shapes 500              a short share
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { pause } from '../src/base/pause.ts';
import { LSN_ZERO } from '../src/model/lsn.ts';
import type { Handle, ShapeDefinition } from '../src/model/shape.ts';
import { openStorage } from '../src/storage/open-storage.ts';
import type { ShapeLog } from '../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../src/storage/storage.ts';
import { openFilesIn } from './open-files.ts';
import { secondsSince } from './stored-shapes.ts';

const MADE_AT_ONCE = 64;
const PER_TABLE = 10;
const LOOK_EVERY_MS = 50;
/** What share of the shapes another process is told to delete, and what share of the files is gone when it is killed over that. */
const [DELETED, KILLED_AT] = [1 / 2, 1 / 8];

const { values } = parseArgs({ options: { shapes: { type: 'string', default: '100000' }, in: { type: 'string' } } });
const shapes = Number(values.shapes);
if (values.in === undefined) await measure(mkdtempSync(join(tmpdir(), 'armature-many-')));
else await fillAndDelete(values.in);

async function measure(root: string): Promise<void> {
  const directory = join(root, 'storage');
  try {
    await killAnother(directory);
    const left = await timed('opened behind the kill', directory, ({ storage }) => Promise.resolve([...storage.shapes.all()].length));
    tell(`${left} shapes came back, ${filesOf(directory).length} files for them`);
    await timed('opened again, and all read', directory, async ({ storage, report }) => {
      for (const shape of storage.shapes.all()) await readWhole(shape);
      report();
    });
    await timed('all deleted', directory, ({ storage }) => {
      for (const { handle } of [...storage.shapes.all()]) storage.shapes.delete(handle, 'a benchmark');
      return Promise.resolve();
    });
    tell(`${filesOf(directory).length} files left, ${directoriesOf(directory)} directories`);
    const found = await timed('opened once more', directory, ({ storage }) => Promise.resolve([...storage.shapes.all()].length));
    tell(`${found} shapes found, ${filesOf(directory).length} files`);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Another process makes them, and is killed while it deletes the first of them. */
async function killAnother(directory: string): Promise<void> {
  const startedMs = systemClock.nowMs();
  const child = fork(import.meta.filename, ['--shapes', String(shapes), '--in', directory]);
  await once(child, 'message');
  const all = filesOf(directory).length;
  tell(`${shapes} made in ${secondsSince(startedMs)}: ${all} files, ${openFilesIn(directory, child.pid)} of them open`);
  child.send('delete');
  while (filesOf(directory).length > all * (1 - KILLED_AT)) await pause(systemClock, LOOK_EVERY_MS);
  child.kill('SIGKILL');
  await once(child, 'exit');
  tell(`killed with ${filesOf(directory).length} files left`);
}

/** Each has a file of its own, as one has whose rows are more than few. */
async function fillAndDelete(directory: string): Promise<void> {
  const storage = await openStorage({ directory, clock: systemClock, packing: { fewBytesMax: 0 } });
  let next = 0;
  const make = async (): Promise<void> => {
    while (next < shapes) {
      const index = next;
      next += 1;
      await makeShape(storage, index);
    }
  };
  await Promise.all(Array.from({ length: MADE_AT_ONCE }, make));
  await storage.shapes.checkpoint();
  process.once('message', () => {
    for (const { handle } of [...storage.shapes.all()].slice(0, shapes * DELETED)) storage.shapes.delete(handle, 'a benchmark');
  });
  process.send?.('filled');
}

async function makeShape({ shapes: logs }: Storage, index: number): Promise<void> {
  const shape = logs.create(`${index}-${index + 1}` as Handle, definitionOf(index));
  const snapshot = shape.beginSnapshot({ xmin: '1', xmax: '1', xip: [], insertLsn: LSN_ZERO });
  await snapshot.write([Buffer.from(`{"key":"1","value":{"id":"${index}"},"headers":{"operation":"insert"}}`)]);
  await snapshot.complete();
}

function definitionOf(index: number): ShapeDefinition {
  const oid = 10_000 + Math.floor(index / PER_TABLE);
  return {
    relation: { oid, schema: 'public', name: `table_${oid}` },
    columns: ['id', 'body'],
    selectsAll: true,
    primaryKey: ['id'],
    reads: [{ name: 'id', typeOid: 23, typeMod: -1 }, { name: 'body', typeOid: 25, typeMod: -1 }],
    where: { text: `id > ${index % PER_TABLE}`, params: [], canonical: `"id" > ${index % PER_TABLE}` },
    replica: 'default',
    log: 'full',
  };
}

interface Opened {
  readonly storage: Storage;
  /** Of now. */
  report(): void;
}

async function timed<Result>(what: string, directory: string, use: (opened: Opened) => Promise<Result>): Promise<Result> {
  const [startedMs, before] = [systemClock.nowMs(), process.cpuUsage()];
  const storage = await openStorage({ directory, clock: systemClock });
  const report = (): void => {
    const { user, system } = process.cpuUsage(before);
    const memory = `${(process.memoryUsage.rss() / 1024 ** 2).toFixed(0)} MiB`;
    const cpu = `${((user + system) / 1e6).toFixed(2)} CPU s`;
    tell(`${what}: ${secondsSince(startedMs)}, ${cpu}, ${memory}, ${openFilesIn(directory, process.pid)} files open`);
  };
  report();
  const result = await use({ storage, report });
  await storage.close();
  return result;
}

async function readWhole(shape: ShapeLog): Promise<void> {
  const read = shape.read('-1' as typeof shape.end);
  if (read.outcome !== 'entries') return;
  for await (const run of read.runs) void run;
}

function filesOf(directory: string): readonly string[] {
  const found = readdirSync(join(directory, 'shapes'), { withFileTypes: true, recursive: true });
  return found.filter((entry) => entry.isFile()).map(({ name }) => name);
}

function directoriesOf(directory: string): number {
  return readdirSync(join(directory, 'shapes')).length;
}

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}
