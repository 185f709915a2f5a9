/** What every engine promises those who read a shape's log entry by entry, and how that agrees with what is sent in runs. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EntryRun, LogEntry } from '../../../src/model/log-entry.ts';
import { BEFORE_ALL, SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import { PIECE_BYTES } from '../../../src/storage/shapes/piece.ts';
import type { ShapeLog, ShapeRead } from '../../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { engines } from '../engines.ts';
import { appendLines, bytes, entriesOf, lsn, offset, runsOf, snapshotEnd, snapshotOf } from '../../support/storage/stored-samples.ts';

const CHUNK_BYTES = 3 * PIECE_BYTES;

/** A row of so many bytes, with everything that could pass for its end. */
const row = (size: number): string => JSON.stringify({ '},{': ['"', ',', '\\', { a: ']' }], text: '"},'.repeat(size / 4) });

interface Told {
  readonly kind: string;
  readonly offset: string;
  readonly text: string;
}

function told({ kind, offset: place, bytes: entry }: LogEntry): Told {
  return { kind, offset: place, text: Buffer.from(entry).toString() };
}

const rowAt = (place: string, text: string): Told => ({ kind: 'row', offset: place, text });

async function collect(runs: AsyncIterable<EntryRun>): Promise<readonly EntryRun[]> {
  const all: EntryRun[] = [];
  for await (const run of runs) all.push(run);
  return all;
}

/** The runs of a read: their kinds in order, their bytes by kind, and whether each but the last goes on. */
async function inRuns(read: ShapeRead): Promise<unknown> {
  const runs = await collect(runsOf(read));
  const textOf = (kind: string) => Buffer.concat(runs.filter((run) => run.kind === kind).map(({ bytes }) => bytes)).toString();
  const goOn = runs.map(({ goesOn }) => goesOn);
  return { row: textOf('row'), control: textOf('control'), kinds: [...new Set(runs.map(({ kind }) => kind))], goOn: goOn.indexOf(false) };
}

/** The same of its entries. */
async function asRuns(read: ShapeRead): Promise<unknown> {
  const entries = (await entriesOf(read)).map(told);
  const textOf = (kind: string) => entries.filter((entry) => entry.kind === kind).map(({ text }) => `${text},`).join('');
  const count = (await collect(runsOf(read))).length;
  return { row: textOf('row'), control: textOf('control'), kinds: [...new Set(entries.map(({ kind }) => kind))], goOn: count - 1 };
}

describe.each(engines)('entries of a log: $name', ({ open }) => {
  let storage: Storage;
  beforeEach(async () => {
    storage = await open({ chunkBytesMax: CHUNK_BYTES });
  });
  afterEach(() => storage.close());

  const shapeWith = async (rows: readonly string[], number = 1): Promise<ShapeLog> => {
    const shape = storage.shapes.create(handleOf(number), shapeOf({}));
    await snapshotOf(shape, rows);
    return shape;
  };

  test('a snapshot is rows at the end of their chunk, and a control', async () => {
    const rows = [row(10), row(CHUNK_BYTES), row(20)];
    const shape = await shapeWith(rows);

    const chunks = await Promise.all([BEFORE_ALL, offset('0_0')].map((after) => entriesOf(shape.read(after))));

    expect(chunks.map((entries) => entries.map(told))).toEqual([
      [rowAt('0_0', row(10)), rowAt('0_0', row(CHUNK_BYTES))],
      [rowAt('0_1', row(20)), { kind: 'control', offset: '0_1', text: snapshotEnd }],
    ]);
  });

  test('a line has its own place, whatever its headers say', async () => {
    const line = JSON.stringify({ key: 'k', value: {}, headers: { operation: 'insert', lsn: '3', op_position: 8 } });
    const shape = await shapeWith([]);
    appendLines(shape, 700, [line, line]);
    const inMemory = await entriesOf(shape.read(SNAPSHOT_END));
    await storage.shapes.checkpoint();
    const saved = await entriesOf(shape.read(SNAPSHOT_END));

    const expected = [rowAt('700_0', line), rowAt('700_2', line)];
    expect([inMemory.map(told), saved.map(told)]).toEqual([expected, expected]);
  });

  test('a row that is cut into pieces comes whole', async () => {
    const lines = [row(100), row(2 * PIECE_BYTES + 17), row(PIECE_BYTES), row(5)];
    const shape = await shapeWith(lines.slice(0, 2));
    appendLines(shape, 10, lines);
    await storage.shapes.checkpoint();
    const log = [...(await entriesOf(shape.read(SNAPSHOT_END))), ...(await entriesOf(shape.read(offset('10_4'))))];

    expect({ snapshot: (await entriesOf(shape.read(BEFORE_ALL))).map(told), log: log.map(told) }).toEqual({
      snapshot: [...lines.slice(0, 2).map((line) => rowAt('0_0', line)), { kind: 'control', offset: '0_0', text: snapshotEnd }],
      log: lines.map((line, index) => rowAt(`10_${2 * index}`, line)),
    });
  });

  test('a chunk of the snapshot is read on from behind any of its rows', async () => {
    const rows = Array.from({ length: 12 }, (_, index) => row(1 + index * 9000));
    const shape = await shapeWith(rows);
    const all = await entriesOf(shape.read(BEFORE_ALL));
    const places = all.map((_, index) => all.slice(0, index + 1).reduce((sum, { bytes }) => sum + bytes.length + 1, 0));

    const rests = await Promise.all(places.map((bytes) => entriesOf(shape.read(BEFORE_ALL), bytes)));

    expect(rests.map((rest) => rest.map(told))).toEqual(all.map((_, index) => all.slice(index + 1).map(told)));
  });

  test('between two lines there is nothing to read on from', async () => {
    const shape = await shapeWith([]);
    appendLines(shape, 10, ['1']);

    await expect(entriesOf(shape.read(SNAPSHOT_END), 1)).rejects.toThrow('a line has an offset of its own');
  });

  test('any rows and lines: entries are in their places, and in runs there is the same', async () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 * PIECE_BYTES }));
    const sizes = fc.array(size, { minLength: 1, maxLength: 6 });
    const transaction = fc.record({ sizes, isSpilled: fc.boolean() });
    const step = fc.oneof({ weight: 3, arbitrary: transaction }, { weight: 1, arbitrary: fc.constant('checkpoint' as const) });
    let number = 1;
    const property = fc.asyncProperty(sizes, fc.array(step, { maxLength: 6 }), async (snapshot, steps) => {
      const shape = await shapeWith(snapshot.map(row), (number += 1));
      const lines: Told[] = [];
      for (const [index, one] of steps.entries()) {
        if (one === 'checkpoint') await storage.shapes.checkpoint();
        else {
          const own = one.sizes.map((length, at) => rowAt(`${10 + index}_${2 * at}`, row(length)));
          for (const [at, { text }] of own.entries()) {
            shape.append(lsn(10 + index), 2 * at, bytes(text));
            if (one.isSpilled) await storage.shapes.spill(shape.handle);
          }
          shape.publish(shape.position);
          lines.push(...own);
        }
      }
      const found = await follow(shape);
      const texts = found.entries.map(({ text }) => text);
      expect({ texts, lines: found.entries.slice(snapshot.length + 1), runs: found.runs }).toEqual({
        texts: [...snapshot.map(row), snapshotEnd, ...lines.map(({ text }) => text)],
        lines,
        runs: found.entriesAsRuns,
      });
      storage.shapes.delete(shape.handle, 'the next one comes');
    });
    await fc.assert(property, { numRuns: 25 });
  });
});

/** Reads a log to its end, in both ways. */
async function follow(shape: ShapeLog): Promise<{ entries: Told[]; runs: unknown[]; entriesAsRuns: unknown[] }> {
  const found: { entries: Told[]; runs: unknown[]; entriesAsRuns: unknown[] } = { entries: [], runs: [], entriesAsRuns: [] };
  for (let after: LogOffset = BEFORE_ALL; ; ) {
    const read = shape.read(after);
    if (read.outcome !== 'entries') return found;
    found.entries.push(...(await entriesOf(read)).map(told));
    found.runs.push(await inRuns(read));
    found.entriesAsRuns.push(await asRuns(shape.read(after)));
    if (read.upToDate) return found;
    after = read.end;
  }
}
