/**
 * Splices while the power goes: whenever that is, what was recorded is made again with its rows, in its order, each once; and what
 * the rows took of the disk is free again when a checkpoint has their lines.
 */
import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { BEFORE_ALL, SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import { openStorage } from '../../../src/storage/open-storage.ts';
import { FEW_BYTES_MAX } from '../../../src/storage/shapes/few-rows.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { bytes, entriesOf, lsn, snapshotEnd, snapshotOf, text } from '../../support/storage/stored-samples.ts';
import { MemoryDisk } from '../memory-disk.ts';

const [INNER, OUTER] = [handleOf(1), handleOf(2)];
const WAYS_PER_MOMENT = 2;

/** What somebody may rely on. */
interface Promised {
  readonly isWhole: boolean;
  readonly recorded: number;
}

type Step = (shape: ShapeLog, storage: Storage) => Promise<unknown>;

/** With which the log lets go of all that nobody needs. */
const checkpoint: Step = async (_, { log, shapes }) => {
  shapes.advance(log.durableEnd);
  await shapes.checkpoint();
  await log.release(shapes.releasable);
};
/** A query that is not waited for to its end. */
const giveUp: Step = (shape) => shape.beginMoved().write(bytes('given up\n'.repeat(FEW_BYTES_MAX)));
const publish: Step = async (shape, { shapes }) => void shape.publish(shapes.position);

/** Each second splice has more than its record takes along, and each third one has none. */
function rowsOf(number: number): string {
  const row = number % 2 === 0 ? `row ${number}`.padEnd(FEW_BYTES_MAX) : `row ${number}`;
  return number % 3 === 0 ? '' : `${row}\nand another of ${number}\n`;
}
const viewOf = (number: number): LogOffset => `${10 * number}_0` as LogOffset;

async function record(shape: ShapeLog, { log }: Storage, number: number): Promise<void> {
  const writer = shape.beginMoved();
  for (const row of rowsOf(number).match(/.*\n/g) ?? []) await writer.write(bytes(row));
  const rows = await writer.complete();
  const { position } = shape;
  shape.recordSplice({ place: position, through: position, views: [viewOf(number)], pgSnapshot: null, first: shape.end, rows });
  await log.sync();
}

/** Makes the lines of what is recorded, as a Consumer does: one for each splice, with its rows in it. */
async function makeLines(shape: ShapeLog): Promise<void> {
  for (let splice = shape.nextSplice; splice !== undefined; splice = shape.nextSplice) {
    const rows = splice.rows === null ? '' : text(await shape.readMoved(0));
    shape.append(lsn(splice.number), 0, bytes(JSON.stringify([splice.views, rows])));
    shape.takeSplice();
  }
}

const make: Step = (shape) => makeLines(shape);
const WORKLOAD: readonly (Step | 'record')[] = [
  'record', make, publish, checkpoint, giveUp, 'record', make, 'record', make, publish, 'record', checkpoint, checkpoint, make, publish,
  giveUp, 'record', 'record', make, publish, checkpoint,
];

function open(disk: MemoryDisk, pid: number): Promise<Storage> {
  const processes = { self: { host: 'here', pid, start: '' }, isAlive: () => false };
  return openStorage({ directory: '/store', clock: new ManualClock(), disk: disk.mount(), processes });
}

/** The workload at the moment before each change of the disk, with what was promised by then. */
async function momentsOf(): Promise<readonly (readonly [MemoryDisk, Promised])[]> {
  const disk = new MemoryDisk();
  const moments: [MemoryDisk, Promised][] = [];
  let promised: Promised = { isWhole: false, recorded: 0 };
  disk.beforeChange = () => void moments.push([disk.image(), promised]);
  const storage = await open(disk, 1);
  await snapshotOf(storage.shapes.create(INNER, shapeOf({})), []);
  const shape = storage.shapes.create(OUTER, shapeOf({ where: { column: 'title', equals: 'x' } }), [INNER]);
  shape.beginViews([viewOf(0)]);
  await snapshotOf(shape, []);
  promised = { isWhole: true, recorded: 0 };
  for (const step of WORKLOAD) {
    if (step === 'record') {
      await record(shape, storage, promised.recorded + 1);
      promised = { isWhole: true, recorded: promised.recorded + 1 };
    } else await step(shape, storage);
  }
  return moments;
}

/** All of its log: the snapshot has no row. */
async function entriesIn(shape: ShapeLog): Promise<readonly string[]> {
  const entries = [...(await entriesOf(shape.read(BEFORE_ALL))), ...(await entriesOf(shape.read(SNAPSHOT_END)))];
  return entries.map((entry) => text(entry.bytes));
}

function entriesAfter(count: number): readonly string[] {
  return [snapshotEnd, ...Array.from({ length: count }, (_, index) => JSON.stringify([[viewOf(index + 1)], rowsOf(index + 1)]))];
}

/** @returns what is not as it was promised once the power is back. */
async function cut(image: MemoryDisk, { isWhole, recorded }: Promised, seed: number): Promise<readonly string[]> {
  const disk = image.image();
  disk.crash(seededRandom(seed));
  const storage = await open(disk, 2);
  const shape = storage.shapes.get(OUTER);
  const found = [...storage.notes];
  if (shape === undefined) return isWhole ? [...found, 'the shape is lost'] : found;
  await makeLines(shape);
  shape.publish(shape.position);
  const made = (await entriesIn(shape)).length - 1;
  if (made < recorded) found.push(`${made} splices are left of ${recorded}`);
  await record(shape, storage, made + 1);
  await makeLines(shape);
  shape.publish(shape.position);
  await storage.shapes.checkpoint();
  const entries = await entriesIn(shape);
  if (String(entries) !== String(entriesAfter(made + 1))) found.push(`its log is ${entries}`);
  await storage.close();
  const left = disk.files.filter((path) => path.endsWith('.moved'));
  return left.length === 0 ? found : [...found, `left behind: ${left}`];
}

test('whenever the power goes, splices are there as they were recorded, and their rows leave nothing behind', async () => {
  const moments = await momentsOf();
  const broken: string[] = [];
  for (const [index, [image, promised]] of moments.entries()) {
    for (let way = 0; way < WAYS_PER_MOMENT; way += 1) {
      for (const violation of await cut(image, promised, WAYS_PER_MOMENT * index + way)) broken.push(`operation ${index}: ${violation}`);
    }
  }

  expect({ broken, areMany: moments.length > 50 }).toEqual({ broken: [], areMany: true });
});
