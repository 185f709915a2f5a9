import { expect, test } from 'vitest';
import type { LogEntry } from '../../src/model/log-entry.ts';
import { BEFORE_ALL, compareOffsets, type LogOffset } from '../../src/model/log-offset.ts';
import type { Handle } from '../../src/model/shape.ts';
import { RowCounts } from '../../src/observer/shapes/row-counts.ts';
import type { SeenShape } from '../../src/observer/sources.ts';
import { DiskError, LinesReplacedError, ShapeCorruptError } from '../../src/storage/errors.ts';
import { ManualClock } from '../support/manual-clock.ts';

const HANDLE = '1-1' as Handle;
const EVENT = '{"headers":{"event":"move-out","patterns":[]}}';
const END = '{"headers":{"control":"snapshot-end"}}';

function row(operation: 'insert' | 'update' | 'delete'): string {
  return `{"key":"k","value":{"a":"\\"headers\\":{\\"operation\\":\\"delete"},"headers":{"operation":"${operation}","relation":["a","b"]}}`;
}

/** What is counted here takes a few turns of promises, and no time. */
async function counted(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

/** A shape's log in memory, and whoever counts its rows. */
function shapeOf(snapshot: readonly string[], parts: Partial<SeenShape> = {}) {
  const log: LogEntry[] = [];
  const reads: LogOffset[] = [];
  const append = (offset: string, lines: readonly string[]): void => {
    for (const line of lines) log.push({ kind: 'row', offset: offset as LogOffset, bytes: Buffer.from(line) });
  };
  append('0_0', snapshot);
  const clock = new ManualClock();
  const counts = new RowCounts({ entries }, clock);
  async function* entries(_: Handle, after: LogOffset): AsyncGenerator<readonly LogEntry[]> {
    reads.push(after);
    await Promise.resolve();
    yield log.filter(({ offset }) => after === BEFORE_ALL || compareOffsets(offset, after) > 0);
  }
  const shape = (): SeenShape => ({
    handle: HANDLE, end: log.at(-1)?.offset ?? BEFORE_ALL, lineBytes: 0,
    definition: { log: 'full' }, snapshot: { state: 'complete', chunks: [] }, ...parts,
  }) as unknown as SeenShape; // What is counted needs no more of it.
  /** Looks, lets it be counted, and looks again. */
  const rows = async (): Promise<number | null> => {
    counts.of(shape());
    await counted();
    clock.advance(1_000);
    return counts.of(shape());
  };
  return { append, rows, reads, counts, shape };
}

test('rows are counted once from the beginning, then from where the count ended; nothing is read where nothing came', async () => {
  const { append, rows, reads } = shapeOf([row('insert'), row('insert'), END]);

  const told = [await rows(), await rows()];
  append('7_0', [row('insert'), row('update')]);
  append('8_0', [row('delete'), row('delete')]);
  told.push(await rows());

  expect({ told, reads }).toEqual({ told: [2, 2, 1], reads: [BEFORE_ALL, '0_0'] });
});

test.each([
  ['an event named rows by patterns', [row('insert'), EVENT, row('insert')], {}],
  ['it is a log of changes alone', [row('insert')], { definition: { log: 'changes_only' } }],
  ['its snapshot is being written', [row('insert')], { snapshot: { state: 'writing', chunkCount: 1 } }],
  ['there is too much of it', [row('insert')], { lineBytes: 33 * 1024 * 1024 }],
])('of a shape nobody tells the rows where %s', async (_, snapshot, parts) => {
  const { rows } = shapeOf(snapshot, parts as Partial<SeenShape>);

  expect(await rows()).toBe(null);
});

test('a log that cannot be read is not counted, and not tried again', async () => {
  let reads = 0;
  const counts = new RowCounts({
    entries() {
      reads += 1;
      throw new ShapeCorruptError(HANDLE, 'a test');
    },
  }, new ManualClock());
  const { shape } = shapeOf([row('insert')]);

  counts.of(shape());
  await counted();

  expect([counts.of(shape()), reads]).toEqual([null, 1]);
});

test.each([
  ['the disk refused for a moment', new DiskError('read', 'lines', Object.assign(new Error(), { code: 'EIO' }))],
  ['its lines were compacted before they were read', new LinesReplacedError(HANDLE)],
])('a log of which %s is counted at the next look', async (_, error) => {
  const clock = new ManualClock();
  const { shape } = shapeOf([row('insert')]);
  let reads = 0;
  const counts = new RowCounts({
    async *entries() {
      reads += 1;
      await Promise.resolve();
      if (reads === 1) throw error;
      yield [{ kind: 'row', offset: shape().end, bytes: Buffer.from(row('insert')) }];
    },
  }, clock);

  for (let look = 0; look < 2; look += 1) {
    counts.of(shape());
    await counted();
    clock.advance(1_000);
  }

  expect([counts.of(shape()), reads]).toEqual([1, 2]);
});

test.each([
  ['ends', undefined],
  ['fails, since what it reads is closed', new Error('the storage is closed')],
])('a count that is under way when nobody looks any more %s, and none follows', async (_, error) => {
  const clock = new ManualClock();
  const { shape } = shapeOf([row('insert')]);
  const read: string[] = [];
  const counts = new RowCounts({
    async *entries(handle) {
      for (const part of ['first', 'second', 'third']) {
        read.push(`${handle} ${part}`);
        if (part === 'first') counts.close();
        else if (error !== undefined) throw error;
        yield [];
      }
    },
  }, clock);

  counts.of(shape());
  counts.of({ ...shape(), handle: '2-1' as Handle });
  await counted();
  clock.advance(60_000);
  await counted();
  counts.of({ ...shape(), handle: '3-1' as Handle });
  await counted();

  expect(read).toEqual(['1-1 first']);
});
