/** The rows that a Consumer reads while it changes the views of its shape. */
import { beforeEach, expect, test } from 'vitest';
import type { LogOffset } from '../../../src/model/log-offset.ts';
import { LOG_START } from '../../../src/model/log-position.ts';
import { openStorage } from '../../../src/storage/open-storage.ts';
import { FEW_BYTES_MAX } from '../../../src/storage/shapes/few-rows.ts';
import { MovedRows } from '../../../src/storage/shapes/moved-rows.ts';
import { PIECE_BYTES } from '../../../src/storage/shapes/piece.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import { splicePort } from '../../../src/storage/shapes/splice-port.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { openPort, type RunningPort } from '../../support/postgres/port-harness.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { bytes, snapshotOf } from '../../support/storage/stored-samples.ts';
import { MemoryDisk } from '../memory-disk.ts';

const HANDLE = handleOf(1);
const OWNER = 'consumer#1';
/** More than a record takes along, so that they are in a file. */
const MANY = `"${'x'.repeat(FEW_BYTES_MAX)}"\n`;

let disk: MemoryDisk;
let storage: Storage;
let movedRows: MovedRows;
let port: RunningPort;
let shape: ShapeLog;

beforeEach(async () => {
  disk = new MemoryDisk();
  storage = await open();
  movedRows = new MovedRows();
  port = await openPort(splicePort(storage, movedRows));
  shape = storage.shapes.create(HANDLE, shapeOf({}));
  await snapshotOf(shape, []);
});

function open(): Promise<Storage> {
  const processes = { self: { host: 'here', pid: 1, start: '' }, isAlive: () => false };
  return openStorage({ directory: '/store', clock: new ManualClock(), disk: disk.mount(), processes });
}

async function recordSplice(rows: string): Promise<void> {
  const writer = shape.beginMoved();
  if (rows !== '') await writer.write(bytes(rows));
  const offset = '7_0' as LogOffset;
  const recorded = { place: LOG_START, through: LOG_START, views: [offset], pgSnapshot: null, first: offset };
  shape.recordSplice({ ...recorded, rows: await writer.complete() });
}

const readMoved = (at: number) => port.ask({ type: 'readMoved', handle: HANDLE, owner: OWNER, at });

test('rows come piece by piece, each where its owner takes it once', async () => {
  const rows = 'x'.repeat(PIECE_BYTES) + '\n';
  await recordSplice(rows);
  const slot = movedRows.slot(OWNER);
  const first = await readMoved(0);
  const parts = [slot.take()];
  const second = await readMoved(Number(first['through']));
  parts.push(slot.take());

  expect({ told: [first, second], whole: Buffer.concat(parts).toString() === rows }).toEqual({
    told: [{ type: 'moved.read', through: PIECE_BYTES }, { type: 'moved.read', through: rows.length }],
    whole: true,
  });
  expect(() => slot.take()).toThrow(`rows are taken right after they were read for ${OWNER}`);
});

test('rows that were read for one that has ended are kept for nobody', async () => {
  await recordSplice('{}\n');
  const [before, behind] = [movedRows.slot(OWNER), movedRows.slot(OWNER)];
  await readMoved(0);
  before.close();
  expect(() => before.take()).toThrow('right after they were read');
  await readMoved(0);
  expect(() => behind.take()).toThrow('right after they were read');
});

test('rows that are damaged, whose lines were made, or whose shape is gone are refused in a sentence', async () => {
  await recordSplice(MANY);
  const [path = ''] = disk.files.filter((name) => name.endsWith('.moved'));
  disk.damage(path, Buffer.from(MANY.replace('x', 'y')));
  const damaged = await readMoved(0);
  shape.takeSplice();
  const made = await readMoved(0);
  storage.shapes.delete(HANDLE, 'a test');
  const gone = await readMoved(0);

  expect({ damaged, made, gone }).toEqual({
    made: gone,
    damaged: {
      type: 'moved.refused',
      why: `the log of shape ${HANDLE} is corrupt: the checksum of bytes 0 to ${MANY.length} of ${path} does not hold`,
    },
    gone: { type: 'moved.refused', why: `shape ${HANDLE} was deleted` },
  });
});

test('a file that alone cannot be read is damage of its shape; a disk that takes nothing is none', async () => {
  await recordSplice(MANY);
  disk.fail('read', 'EIO', /\.moved$/);
  const alone = await readMoved(0);
  disk.fail('open', 'EIO'); // Nor is anything made then.

  await expect(readMoved(0)).rejects.toThrow('EIO');
  const why = expect.stringMatching(/^the log of shape .* is corrupt: cannot read .*\.moved: EIO, again and again$/) as string;
  expect(alone).toEqual({ type: 'moved.refused', why });
});
