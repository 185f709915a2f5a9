import { expect, test } from 'vitest';
import { BEFORE_ALL, compareOffsets, offsetOf, SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import type { LogPosition } from '../../../src/model/log-position.ts';
import { LSN_ZERO, type Lsn } from '../../../src/model/lsn.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { ShapeBlocks } from '../../../src/storage/shapes/shape-blocks.ts';
import { shapeReaderPort } from '../../../src/storage/shapes/shape-reader-port.ts';
import { openPort } from '../../support/postgres/port-harness.ts';
import { committed, inserted } from '../../support/actors/shape-messages.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';

const HANDLE = handleOf(1);
const COLUMN = 'value';
const encoder = new TextEncoder();

const lineOf = (message: object) => encoder.encode(JSON.stringify(message));

/** A shape with one snapshot row and one row per transaction, in chunks as small as they get. */
async function openReader({ chunkBytesMax = 10 * 1024 * 1024, transactions = 3 } = {}) {
  const { shapes } = memoryStorage({ chunkBytesMax });
  const log = shapes.create(HANDLE, shapeOf({}));
  const writer = log.beginSnapshot({ xmin: '1', xmax: '1', xip: [], insertLsn: LSN_ZERO });
  await writer.write([lineOf(inserted('s', '0'))]);
  await writer.complete();
  for (let lsn = 1; lsn <= transactions; lsn += 1) {
    const [message = {}] = committed(String(lsn), [inserted(`row ${lsn}`, String(lsn))]);
    log.append(String(lsn) as Lsn, 0, lineOf(message));
    log.publish(lsn as LogPosition);
  }
  const blocks = new ShapeBlocks();
  return { shapes, blocks, port: await openPort(shapeReaderPort(shapes, blocks)) };
}

type Reader = Awaited<ReturnType<typeof openReader>>;

/** Reads block by block, as a follower does; the keys, and how many blocks they came in. */
async function readThrough({ port, blocks }: Reader, through: LogOffset) {
  const keys: string[] = [];
  let blockCount = 0;
  for (let after = BEFORE_ALL; compareOffsets(after, through) < 0; blockCount += 1) {
    const answer = await port.ask({ type: 'readBlock', handle: HANDLE, column: COLUMN, after, through });
    const end = answer.through as LogOffset;
    keys.push(...blocks.take(HANDLE, COLUMN, { after, through: end }).flatMap(({ key }) => key ?? []));
    after = end;
  }
  return { keys, blockCount };
}

test('history ends with the offset that was asked for, whatever lies behind it', async () => {
  const reader = await openReader();

  const { keys } = await readThrough(reader, offsetOf('2' as Lsn, 0));

  expect(keys).toEqual(['s', 'row 1', 'row 2']);
});

test('history that is the snapshot alone holds no operation', async () => {
  const reader = await openReader();

  const { keys } = await readThrough(reader, SNAPSHOT_END);

  expect(keys).toEqual(['s']);
});

test('over many chunks each line comes once', async () => {
  const reader = await openReader({ chunkBytesMax: 10, transactions: 5 });

  const { keys, blockCount } = await readThrough(reader, offsetOf('5' as Lsn, 0));

  expect({ keys, isMany: blockCount > 5 }).toEqual({ keys: ['s', 'row 1', 'row 2', 'row 3', 'row 4', 'row 5'], isMany: true });
});

test('two followers of one shape do not take each other’s blocks', async () => {
  const { port, blocks } = await openReader();
  const range = { after: SNAPSHOT_END, through: offsetOf('1' as Lsn, 0) };

  await port.ask({ type: 'readBlock', handle: HANDLE, column: 'one', ...range });
  await port.ask({ type: 'readBlock', handle: HANDLE, column: 'other', ...range });

  const taken = ['one', 'other'].map((column) => blocks.take(HANDLE, column, range).map(({ key }) => key));
  expect(taken).toEqual([['row 1'], ['row 1']]);
});

test('a block is handed over once', async () => {
  const { port, blocks } = await openReader();
  const range = { after: SNAPSHOT_END, through: offsetOf('1' as Lsn, 0) };
  await port.ask({ type: 'readBlock', handle: HANDLE, column: COLUMN, ...range });
  blocks.take(HANDLE, COLUMN, range);

  expect(() => blocks.take(HANDLE, COLUMN, range)).toThrow('a block is taken right after it was read');
});

test('a shape that was deleted has no history', async () => {
  const { port, shapes } = await openReader();
  shapes.delete(HANDLE, 'asked');

  const answer = await port.ask({ type: 'readBlock', handle: HANDLE, column: COLUMN, after: BEFORE_ALL, through: SNAPSHOT_END });

  expect(answer).toEqual({ type: 'history.isGone' });
});
