/** A follower's way through a log: in values, in blocks that are bounded, and never further than it asked for. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LOG_BEGIN, placeAt, type EntryKind, type EntryPlace, type EntryRange } from '../../../src/model/log-entry.ts';
import { compareOffsets, offsetOf, SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import type { Lsn } from '../../../src/model/lsn.ts';
import type { PlacedRow } from '../../../src/model/row-values.ts';
import { LineReader } from '../../../src/shapes/line-reader.ts';
import { DiskStanding } from '../../../src/storage/disk/disk-standing.ts';
import { ShapeBlocks } from '../../../src/storage/shapes/shape-blocks.ts';
import type { ShapeLog, ShapeLogs } from '../../../src/storage/shapes/shape-logs.ts';
import { BLOCK_BYTES_MAX, shapeReaderPort } from '../../../src/storage/shapes/shape-reader-port.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { FOLLOWER } from '../../support/actors/follower-ports.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { openPort } from '../../support/postgres/port-harness.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { appendLines, bytes, lsn, snapshotOf } from '../../support/storage/stored-samples.ts';
import { engines } from '../engines.ts';

const HANDLE = handleOf(1);
const COLUMN = 'value';

const place = (commit: number, position = 0): LogOffset => offsetOf(String(commit) as Lsn, position);

/** @param commit of the transaction that its headers name; none for a row of the snapshot. */
function lineOf(key: string, value: string, commit?: number): string {
  const transaction = commit === undefined ? {} : { txids: [commit], lsn: String(commit), op_position: 0, last: true };
  const headers = { operation: 'insert', relation: ['public', 'items'], ...transaction };
  return JSON.stringify({ key, value: { [COLUMN]: value }, headers });
}

const READ_BLOCK = { type: 'readBlock', owner: FOLLOWER, handle: HANDLE, column: COLUMN };

async function openReader(shapes: Pick<ShapeLogs, 'get'>) {
  const blocks = new ShapeBlocks();
  const disk = new DiskStanding(new ManualClock());
  const port = await openPort(shapeReaderPort({ shapes, disk }, blocks, (column) => new LineReader(column)));
  blocks.open(FOLLOWER);
  const read = async (after: EntryPlace, through: LogOffset, column = COLUMN, owner = FOLLOWER): Promise<EntryRange> => {
    const answer = await port.ask({ type: 'readBlock', owner, handle: HANDLE, column, after, through });
    return { after, through: answer.through as EntryPlace };
  };
  return { port, blocks, read };
}

type Reader = Awaited<ReturnType<typeof openReader>>;

/** Block by block, as a follower reads. */
async function readThrough({ blocks, read }: Reader, through: LogOffset): Promise<readonly (readonly PlacedRow[])[]> {
  const found: (readonly PlacedRow[])[] = [];
  for (let after = LOG_BEGIN; compareOffsets(after.offset, through) < 0; ) {
    const range = await read(after, through);
    found.push(blocks.take(FOLLOWER, range));
    after = range.through;
  }
  return found;
}

const keysOf = (blocks: readonly (readonly PlacedRow[])[]): string[] => blocks.flat().map(({ key }) => key);

describe.each(engines)('a follower of a shape: $name', ({ open }) => {
  let storage: Storage;
  let log: ShapeLog;
  let reader: Reader;
  beforeEach(async () => {
    storage = await open({ chunkBytesMax: 10 * 1024 * 1024 });
    reader = await openReader(storage.shapes);
    log = storage.shapes.create(HANDLE, shapeOf({}));
  });
  afterEach(() => storage.close());

  /** One snapshot row, and one row for each transaction. */
  const fill = async (transactions: number): Promise<void> => {
    await snapshotOf(log, [lineOf('s', '0')]);
    for (let commit = 1; commit <= transactions; commit += 1) appendLines(log, commit, [lineOf(`row ${commit}`, String(commit), commit)]);
  };

  test('history ends with the offset that was asked for, whatever lies behind it', async () => {
    await fill(3);

    expect(keysOf(await readThrough(reader, place(2)))).toEqual(['s', 'row 1', 'row 2']);
  });

  test('history that is the snapshot alone holds no operation', async () => {
    await fill(3);

    expect(keysOf(await readThrough(reader, SNAPSHOT_END))).toEqual(['s']);
  });

  test('a row has its values, and the place that the log has for it', async () => {
    await fill(1);
    await storage.shapes.checkpoint();

    expect((await readThrough(reader, place(1))).flat()).toEqual([
      { offset: '0_0', operation: 'insert', key: 's', value: '0', xids: [], isLast: false },
      { offset: '1_0', operation: 'insert', key: 'row 1', value: '1', xids: [1], isLast: true },
    ]);
  });

  test.each([['behind', 900], ['before', 3]])('a row whose headers name an LSN %s its place is read at its place', async (_, commit) => {
    await fill(0);
    appendLines(log, 500, [lineOf('a', '1', commit), lineOf('b', '2', commit)]);
    await storage.shapes.checkpoint();
    appendLines(log, 501, [lineOf('c', '3', commit)]);

    const found = (await readThrough(reader, place(500, 2))).flat();

    expect(found.map(({ offset, key }) => [offset, key])).toEqual([['0_0', 's'], ['500_0', 'a'], ['500_2', 'b']]);
  });

  test('a history of 20 MB comes in blocks of bounded size, each row once', async () => {
    const rows = Array.from({ length: 20_000 }, (_, index) => lineOf(`row ${index}`, 'v'.repeat(900), index < 10_000 ? undefined : 7));
    await snapshotOf(log, rows.slice(0, 10_000));
    appendLines(log, 7, rows.slice(10_000, 15_000));
    await storage.shapes.checkpoint();
    appendLines(log, 8, rows.slice(15_000));
    const sizes = new Map(rows.map((line, index) => [`row ${index}`, line.length + 1]));

    const found = await readThrough(reader, log.end);

    const largest = Math.max(...found.map((block) => block.reduce((sum, { key }) => sum + (sizes.get(key) ?? 0), 0)));
    expect({ keys: keysOf(found), isBounded: largest <= BLOCK_BYTES_MAX, isInFewBlocks: found.length < 100 }).toEqual({
      keys: [...sizes.keys()],
      isBounded: true,
      isInFewBlocks: true,
    });
  });

  test('a row that is larger than a block is one by itself', async () => {
    const large = 'x'.repeat(BLOCK_BYTES_MAX);
    await snapshotOf(log, [lineOf('a', '1'), lineOf('b', large), lineOf('c', '2')]);
    appendLines(log, 7, [lineOf('d', '3', 7), lineOf('e', large, 7), lineOf('f', '4', 7)]);
    await storage.shapes.checkpoint();

    const found = await readThrough(reader, log.end);

    expect(found.map((block) => block.map(({ key, value }) => `${key}${value?.length}`)).filter((block) => block.length > 0)).toEqual([
      ['a1'], [`b${large.length}`], ['c1'], ['d1'], [`e${large.length}`], ['f1'],
    ]);
  });

  test('two followers of one shape do not take each other’s blocks', async () => {
    await fill(1);
    const after = placeAt(SNAPSHOT_END);
    reader.blocks.open('other');
    const [other, one] = [await reader.read(after, place(1), 'another', 'other'), await reader.read(after, place(1))];

    const taken = [reader.blocks.take('other', other), reader.blocks.take(FOLLOWER, one)];

    expect(taken.map((rows) => rows.map(({ key, value }) => [key, value]))).toEqual([[['row 1', undefined]], [['row 1', '1']]]);
  });

  test('a block that was read for a follower that has ended is nobody’s, and not its successor’s', async () => {
    await fill(2);
    reader.blocks.open('successor');
    const asked = await reader.read(placeAt(SNAPSHOT_END), place(2), COLUMN, 'successor');
    reader.blocks.close(FOLLOWER);
    const late = await reader.read(placeAt(SNAPSHOT_END), place(1));

    const taken = reader.blocks.take('successor', asked);

    expect(taken.map(({ key }) => key)).toEqual(['row 1', 'row 2']);
    expect(() => reader.blocks.take(FOLLOWER, late)).toThrow('a block is taken right after it was read');
  });

  test('a block is handed over once', async () => {
    await fill(1);
    const range = await reader.read(placeAt(SNAPSHOT_END), place(1));
    reader.blocks.take(FOLLOWER, range);

    expect(() => reader.blocks.take(FOLLOWER, range)).toThrow('a block is taken right after it was read');
  });

  test('a block that ends elsewhere than one asks for is another one', async () => {
    await fill(2);
    const { after } = await reader.read(placeAt(SNAPSHOT_END), place(1));

    expect(() => reader.blocks.take(FOLLOWER, { after, through: placeAt(place(2)) })).toThrow('a block is taken right after it was read');
  });

  test('a shape that was deleted has no history', async () => {
    await fill(1);
    storage.shapes.delete(HANDLE, 'asked');

    const answer = await reader.port.ask({ ...READ_BLOCK, after: LOG_BEGIN, through: SNAPSHOT_END });

    expect(answer).toEqual({ type: 'history.isGone' });
  });

  test('a shape with a row that cannot be read is condemned', async () => {
    await fill(0);
    log.append(lsn(7), 0, bytes('{"key":"a"}'));
    log.publish(log.position);

    const range = { after: placeAt(SNAPSHOT_END), through: log.end };
    const answer = await reader.port.ask({ ...READ_BLOCK, ...range });

    const why = "an entry of a shape's log cannot be read: at byte 10 of 11 stands something else than a row is written with";
    expect({ answer, sent: reader.port.sent }).toEqual({
      answer: { type: 'history.isGone' },
      sent: [{ to: `@consumer/${HANDLE}`, message: { type: 'stop', cause: { delete: why, isDamaged: true } } }],
    });
  });

  test('an entry of a kind that nobody knows ends its shape, in a sentence', async () => {
    await fill(1);
    const { port } = await openReader({ get: (handle) => withKind(storage.shapes.get(handle), 'splice' as EntryKind) });

    const answer = await port.ask({ ...READ_BLOCK, after: LOG_BEGIN, through: place(1) });

    const why = "an entry of a shape's log cannot be read: this version of Armature does not know its kind, splice";
    expect({ answer, sent: port.sent.map(({ message }) => message) }).toEqual({
      answer: { type: 'history.isGone' },
      sent: [{ type: 'stop', cause: { delete: why, isDamaged: true } }],
    });
  });
});

/** The same log, written by a later version. */
function withKind(log: ShapeLog | undefined, kind: EntryKind): ShapeLog | undefined {
  if (log === undefined) return undefined;
  const read: ShapeLog['read'] = (after) => {
    const found = log.read(after);
    if (found.outcome !== 'entries') return found;
    return {
      ...found,
      async *entries(skip) {
        for await (const entries of found.entries(skip)) yield [...entries].map((entry) => ({ ...entry, kind }));
      },
    };
  };
  return Object.assign(Object.create(log) as ShapeLog, { read });
}
