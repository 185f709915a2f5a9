/** What every engine of the shapes' logs promises its writers and readers. */
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { joinedLines } from '../../../src/model/joined-lines.ts';
import { BEFORE_ALL, SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import { LSN_ZERO } from '../../../src/model/lsn.ts';
import type { LogPosition } from '../../../src/model/log-position.ts';
import { FOLLOW_WAIT_MS } from '../../../src/storage/shapes/snapshot-chunks.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { engines } from '../engines.ts';
import {
  appendLines,
  bodyOf,
  bytes,
  grow,
  lsn,
  offset,
  pgSnapshot,
  readAll,
  recordsOf,
  runsOf,
  snapshotEnd,
  snapshotOf,
} from '../../support/storage/stored-samples.ts';

const handle = handleOf(1);
const definition = shapeOf({});
const CHUNK_BYTES = 20;
const row = (length: number, mark = 'r'): string => JSON.stringify(mark.repeat(length - 2));

describe.each(engines)("shapes' logs: $name", ({ open, hasFewRows }) => {
  let storage: Storage;
  let clock: ManualClock;
  beforeEach(async () => {
    clock = new ManualClock();
    storage = await open({ chunkBytesMax: CHUNK_BYTES, clock });
  });
  afterEach(() => storage.close());

  const few = (rows: string) => (hasFewRows ? { fewRows: Buffer.from(rows).toString('base64') } : {});

  const shapeWith = async (rows: readonly string[]) => {
    const shape = storage.shapes.create(handle, definition);
    await snapshotOf(shape, rows);
    return shape;
  };

  test('a new shape is found by its handle and waits for its snapshot', () => {
    const shape = storage.shapes.create(handle, definition);

    expect({
      found: storage.shapes.get(handle) === shape,
      all: [...storage.shapes.all()].map((one) => one.handle),
      definition: shape.definition,
      end: shape.end,
      snapshot: shape.snapshot,
      read: [shape.read(BEFORE_ALL), shape.read(offset('0_0'))],
    }).toEqual({
      found: true,
      all: [handle],
      definition,
      end: SNAPSHOT_END,
      snapshot: { state: 'awaited' },
      read: [{ outcome: 'notStarted' }, { outcome: 'notStarted' }],
    });
  });

  test('those that depend on a shape are found by it, each once, until they are gone', () => {
    const outer = { ...definition, dependencies: [{ shape: definition, column: 'owner' }, { shape: definition, column: 'title' }] };
    const [inner, other, both, gone] = [handleOf(1), handleOf(2), handleOf(3), handleOf(4)];
    for (const plain of [inner, other]) storage.shapes.create(plain, definition);
    for (const dependant of [both, gone]) storage.shapes.create(dependant, outer, [inner, inner]);
    storage.shapes.delete(gone, 'it is gone');

    const found = [inner, other, both].map((of) => Array.from(storage.shapes.dependantsOf(of), ({ handle: one }) => one));
    expect(found).toEqual([[both], [], []]);
  });

  test('a handle is never given twice', () => {
    storage.shapes.create(handle, definition);

    expect(() => storage.shapes.create(handle, definition)).toThrow('never given twice');
  });

  test('the life of a shape is in the transaction log', async () => {
    await shapeWith([row(4)]);
    storage.shapes.delete(handle, 'a test');
    storage.shapes.delete(handle, 'again');
    await storage.log.sync();
    const rows = `${row(4)},${snapshotEnd},`;

    expect(await recordsOf(storage.log)).toEqual([
      { type: 'shape.created', handle, definition, chunkBytesMax: CHUNK_BYTES, position: 0 },
      { type: 'shape.snapshotCompleted', handle, chunks: chunksOf([rows]), pgSnapshot, position: 0, ...few(rows) },
      { type: 'shape.deleted', handle, why: 'a test' },
    ]);
  });

  test.each([
    ['no rows: only the end', [], [snapshotEnd]],
    ['one chunk', [row(4), row(5)], [`${row(4)},${row(5)},${snapshotEnd}`]],
    ['a chunk closes behind the row that fills it', [row(12), row(9), row(3)], [`${row(12)},${row(9)}`, `${row(3)},${snapshotEnd}`]],
    ['a row exactly at the threshold', [row(19), row(3)], [row(19), `${row(3)},${snapshotEnd}`]],
    ['a row one below it', [row(18), row(3)], [`${row(18)},${row(3)}`, snapshotEnd]],
    ['a row beyond it', [row(50), row(3)], [row(50), `${row(3)},${snapshotEnd}`]],
    ['the end alone behind a full chunk', [row(30)], [row(30), snapshotEnd]],
  ])('chunks of the snapshot: %s', async (_, rows, chunks) => {
    const shape = await shapeWith(rows);
    const reads = chunks.map((__, index) => shape.read(index === 0 ? BEFORE_ALL : offset(`0_${index - 1}`)));

    expect({ bodies: await Promise.all(reads.map(bodyOf)), snapshot: shape.snapshot, filterBy: shape.filterBy }).toEqual({
      bodies: chunks.map((body, index) => ({ body, end: `0_${index}`, upToDate: false })),
      snapshot: { state: 'complete', pgSnapshot, chunks: chunksOf(chunks.map((body) => `${body},`)) },
      filterBy: pgSnapshot,
    });
  });

  test('a chunk is read while it is still being written', async () => {
    const shape = storage.shapes.create(handle, definition);
    const writer = shape.beginSnapshot(pgSnapshot);
    const reading = bodyOf(shape.read(BEFORE_ALL));
    const next = bodyOf(shape.read(offset('0_0')));
    await writer.write([bytes(row(4))]);
    const count = shape.snapshot;
    await writer.write([bytes(row(16)), bytes(row(5))]);
    const first = await reading;
    await writer.complete();

    expect({ count, first, next: await next }).toEqual({
      count: { state: 'writing', pgSnapshot, chunkCount: 1 },
      first: { body: `${row(4)},${row(16)}`, end: '0_0', upToDate: false },
      next: { body: `${row(5)},${snapshotEnd}`, end: '0_1', upToDate: false },
    });
  });

  test('the bytes of rows that were written are their writer\'s again', async () => {
    const shape = storage.shapes.create(handle, definition);
    const writer = shape.beginSnapshot(pgSnapshot);
    const lines = joinedLines([bytes(row(4))]);
    await writer.writeJoined(lines);
    lines.bytes.fill(0x20);
    await writer.complete();

    expect(await bodyOf(shape.read(BEFORE_ALL))).toMatchObject({ body: `${row(4)},${snapshotEnd}` });
  });

  test('a chunk that never comes is empty', async () => {
    const shape = storage.shapes.create(handle, definition);
    const writer = shape.beginSnapshot(pgSnapshot);
    const reading = bodyOf(shape.read(offset('0_7')));
    await writer.complete();

    expect(await reading).toEqual({ body: '', end: '0_8', upToDate: false });
  });

  test('behind the last chunk comes the log, also while the snapshot is made durable', async () => {
    const shape = storage.shapes.create(handle, definition);
    const writer = shape.beginSnapshot(pgSnapshot);
    await writer.write([bytes(row(4))]);
    const completing = writer.complete();
    await bodyOf(shape.read(BEFORE_ALL));
    const behind = await bodyOf(shape.read(offset('0_0')));
    await completing;

    expect(behind).toEqual({ body: '', end: '0_inf', upToDate: true });
  });

  test('who follows a snapshot is told when its writer gives up', async () => {
    const shape = storage.shapes.create(handle, definition);
    const writer = shape.beginSnapshot(pgSnapshot);
    const reading = bodyOf(shape.read(BEFORE_ALL));
    writer.abort(new Error('the query failed'));

    await expect(reading).rejects.toThrow(`shape ${handle} was deleted`);
  });

  test('who has all of a chunk need not hear that its shape went', async () => {
    const shape = await shapeWith([row(30)]);
    const reader = runsOf(shape.read(BEFORE_ALL));
    const first = await reader.next();
    storage.shapes.delete(handle, 'a test');

    expect({ first: first.value, next: await reader.next() }).toEqual({
      first: { kind: 'row', bytes: bytes(`${row(30)},`), goesOn: false },
      next: { done: true, value: undefined },
    });
  });

  test('who follows a snapshot waits a bounded time', async () => {
    const shape = storage.shapes.create(handle, definition);
    const writer = shape.beginSnapshot(pgSnapshot);
    await writer.write([bytes(row(4))]);
    const reader = runsOf(shape.read(BEFORE_ALL));
    await reader.next();
    const timers = clock.pendingTimers;
    const waiting = reader.next();
    while (clock.pendingTimers === timers) await Promise.resolve();
    clock.advance(FOLLOW_WAIT_MS);

    await expect(waiting).rejects.toThrow('made no progress');
  });

  test('who follows a snapshot keeps no timer when it goes on, and nothing of one who gave up', async () => {
    const shape = storage.shapes.create(handle, definition);
    const writer = shape.beginSnapshot(pgSnapshot);
    await writer.write([bytes(row(4))]);
    const readers = [runsOf(shape.read(BEFORE_ALL)), runsOf(shape.read(BEFORE_ALL))] as const;
    await Promise.all(readers.map((reader) => reader.next()));
    const timers = clock.pendingTimers;
    const stalled = expect(readers[0].next()).rejects.toThrow('made no progress');
    await expect.poll(() => clock.pendingTimers).toBe(timers + 1);
    clock.advance(FOLLOW_WAIT_MS);
    await stalled;
    const waiting = readers[1].next();
    await expect.poll(() => clock.pendingTimers).toBe(timers + 1);
    let cleared = 0;
    const clear = clock.clearTimer.bind(clock);
    clock.clearTimer = (timer) => {
      cleared += 1;
      clear(timer);
    };
    await writer.write([bytes(row(4))]);
    await waiting;

    expect({ cleared, timers: clock.pendingTimers - timers }).toEqual({ cleared: 1, timers: 0 });
  });

  test('the end of the snapshot is the end of the log until something is replicated', async () => {
    const shape = await shapeWith([row(4)]);
    const upToDate = { body: '', end: SNAPSHOT_END, upToDate: true };

    expect(await Promise.all(['0_0', '0_5', '0_inf'].map((after) => bodyOf(shape.read(offset(after)))))).toEqual([
      upToDate,
      upToDate,
      upToDate,
    ]);
  });

  test('lines are read from any offset, and none beyond the end', async () => {
    const shape = await shapeWith([]);
    appendLines(shape, 10, ['"a"', '"b"']);
    appendLines(shape, 12, ['"c"']);
    const after = ['0_0', '0_inf', '9_inf', '10_0', '10_1', '10_2', '11_0', '12_0', '12_1', '13_0'];

    expect(await Promise.all(after.map((one) => bodyOf(shape.read(offset(one)))))).toEqual([
      ...['"a","b","c"', '"a","b","c"', '"a","b","c"', '"b","c"', '"b","c"', '"c"', '"c"', ''].map((body) => ({
        body,
        end: '12_0',
        upToDate: true,
      })),
      { outcome: 'beyond' },
      { outcome: 'beyond' },
    ]);
  });

  test('nobody sees a line before it is published', async () => {
    const shape = await shapeWith([]);
    shape.append(lsn(10), 0, bytes('"a"'));
    const hidden = await bodyOf(shape.read(SNAPSHOT_END));
    const end = shape.publish(shape.position);

    expect({ hidden, end, shown: await bodyOf(shape.read(SNAPSHOT_END)) }).toEqual({
      hidden: { body: '', end: SNAPSHOT_END, upToDate: true },
      end: '10_0',
      shown: { body: '"a"', end: '10_0', upToDate: true },
    });
  });

  test('discarded lines may be appended again', async () => {
    const shape = await shapeWith([]);
    shape.append(lsn(10), 0, bytes('"lost"'));
    shape.discard(LSN_ZERO);
    appendLines(shape, 10, ['"kept"']);

    expect(await bodyOf(shape.read(SNAPSHOT_END))).toEqual({ body: '"kept"', end: '10_0', upToDate: true });
  });

  test('lines that were spilled are seen by nobody before they are published, and then all of them, in their order', async () => {
    const shape = await shapeWith([]);
    appendLines(shape, 10, ['"0"']);
    for (const [position, line] of [[0, '"a"'], [2, '"b"'], [4, '"c"']] as const) {
      shape.append(lsn(11), position, bytes(line));
      await storage.shapes.spill(handle);
      await storage.shapes.checkpoint();
    }
    const hidden = await bodyOf(shape.read(SNAPSHOT_END));
    shape.append(lsn(11), 6, bytes('"d"'));
    shape.publish(shape.position);
    appendLines(shape, 12, ['"9"']);
    const shown = await Promise.all(['0_inf', '10_0', '11_2', '11_4', '11_6'].map((after) => bodyOf(shape.read(offset(after)))));

    expect({ hidden, shown }).toEqual({
      hidden: { body: '"0"', end: '10_0', upToDate: true },
      shown: ['"0","a","b","c","d","9"', '"a","b","c","d","9"', '"c","d","9"', '"d","9"', '"9"'].map(
        (body) => ({ body, end: '12_0', upToDate: true }),
      ),
    });
  });

  test('a chunk that spilled lines fill ends where it would without, and is not seen before', async () => {
    const shape = await shapeWith([]);
    const lines = [row(12, 'a'), row(14, 'b'), row(8, 'c')];
    for (const [index, line] of lines.entries()) {
      shape.append(lsn(10), 2 * index, bytes(line));
      await storage.shapes.spill(handle);
    }
    const hidden = await bodyOf(shape.read(SNAPSHOT_END));
    shape.publish(shape.position);
    const other = storage.shapes.create(handleOf(2), definition);
    await snapshotOf(other, []);
    appendLines(other, 10, lines);

    expect({ hidden, shown: await bodyOf(shape.read(SNAPSHOT_END)) }).toEqual({
      hidden: { body: '', end: SNAPSHOT_END, upToDate: true },
      shown: await bodyOf(other.read(SNAPSHOT_END)),
    });
  });

  test.each(['before', 'while'])(
    'spilled lines that are given up %s they are written leave nothing, and others take their place',
    async (when) => {
      const shape = await shapeWith([]);
      appendLines(shape, 10, ['"before"']);
      shape.append(lsn(11), 0, bytes('"given up, and longer"'));
      const spilling = storage.shapes.spill(handle);
      await (when === 'before' ? spilling : Promise.resolve()); // A write begins one turn after it was asked for.
      shape.discard(LSN_ZERO);
      await spilling;
      shape.append(lsn(11), 0, bytes('"kept"'));
      await storage.shapes.spill(handle);
      shape.publish(shape.position);
      await storage.shapes.checkpoint();

      expect(await bodyOf(shape.read(SNAPSHOT_END))).toEqual({ body: '"before","kept"', end: '11_0', upToDate: true });
    },
  );

  test('a spill that waited while its lines were given up leaves those of the next Consumer alone', async () => {
    const shape = await shapeWith([]);
    shape.append(lsn(11), 0, bytes('"given up"'));
    const first = storage.shapes.spill(handle);
    await Promise.resolve();
    const second = storage.shapes.spill(handle);
    shape.discard(LSN_ZERO);
    shape.append(lsn(11), 0, bytes('"kept"'));
    await first;
    for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
    shape.publish(shape.position);
    await second;

    expect(await bodyOf(shape.read(SNAPSHOT_END))).toEqual({ body: '"kept"', end: '11_0', upToDate: true });
  });

  test('of a shape that is not there nothing is spilled', async () => {
    await expect(storage.shapes.spill(handleOf(9))).resolves.toBeUndefined();
  });

  test('a replay adds only what is new', async () => {
    const shape = await shapeWith([]);
    appendLines(shape, 10, ['"a"', '"b"']);
    appendLines(shape, 10, ['"a"', '"b"', '"c"']);

    expect(await bodyOf(shape.read(SNAPSHOT_END))).toEqual({ body: '"a","b","c"', end: '10_4', upToDate: true });
  });

  test('a chunk of the log ends with the line that fills it', async () => {
    const shape = await shapeWith([]);
    appendLines(shape, 10, [row(12, 'a'), row(14, 'b'), row(8, 'c')]);

    expect(await Promise.all(['0_inf', '10_0', '10_2', '10_4'].map((one) => bodyOf(shape.read(offset(one)))))).toEqual([
      { body: `${row(12, 'a')},${row(14, 'b')}`, end: '10_2', upToDate: false },
      { body: row(14, 'b'), end: '10_2', upToDate: false },
      { body: row(8, 'c'), end: '10_4', upToDate: true },
      { body: '', end: '10_4', upToDate: true },
    ]);
  });

  test('a chunk that only lines had filled that were given up goes on', async () => {
    const shape = await shapeWith([]);
    appendLines(shape, 10, [row(8, 'a')]);
    shape.append(lsn(11), 0, bytes(row(30, 'b')));
    shape.discard(LSN_ZERO);
    appendLines(shape, 12, [row(8, 'c')]);

    expect(await bodyOf(shape.read(SNAPSHOT_END))).toEqual({ body: `${row(8, 'a')},${row(8, 'c')}`, end: '12_0', upToDate: true });
  });

  test('a full chunk at the end of the log is up to date', async () => {
    const shape = await shapeWith([]);
    appendLines(shape, 10, [row(30)]);

    expect(await bodyOf(shape.read(SNAPSHOT_END))).toEqual({ body: row(30), end: '10_0', upToDate: true });
  });

  test('a chunk that fills inside a batch does not show what is not published', async () => {
    const shape = await shapeWith([]);
    appendLines(shape, 10, [row(12, 'a')]);
    shape.append(lsn(11), 0, bytes(row(14, 'b')));

    expect(await bodyOf(shape.read(SNAPSHOT_END))).toEqual({ body: row(12, 'a'), end: '10_0', upToDate: true });
  });

  test('a filter is held until it is stopped', async () => {
    const shape = await shapeWith([]);
    const held = shape.filterBy;
    shape.stopFiltering();

    expect({ held, stopped: shape.filterBy }).toEqual({ held: pgSnapshot, stopped: undefined });
  });

  test('a deleted shape is found no more, and takes nothing', async () => {
    const shape = await shapeWith([row(4)]);
    storage.shapes.delete(handle, 'a test');

    expect({ found: storage.shapes.get(handle), all: [...storage.shapes.all()], end: shape.publish(shape.position) }).toEqual({
      found: undefined,
      all: [],
      end: SNAPSHOT_END,
    });
  });

  test('who holds on to a deleted shape is told', async () => {
    const shape = await shapeWith([row(4)]);
    storage.shapes.delete(handle, 'a test');

    expect(() => shape.read(SNAPSHOT_END)).toThrow(`shape ${handle} was deleted`);
  });

  test('deleting a shape ends the readers that follow its snapshot', async () => {
    const shape = storage.shapes.create(handle, definition);
    shape.beginSnapshot(pgSnapshot);
    const reading = bodyOf(shape.read(BEFORE_ALL));
    storage.shapes.delete(handle, 'a test');

    await expect(reading).rejects.toThrow(`shape ${handle} was deleted`);
  });

  test('a new shape holds the log back until it has caught up; then it goes along', async () => {
    const before = await grow(storage, 10);
    storage.shapes.advance(before);
    const shape = await shapeWith([]);
    const later = await grow(storage, 20);
    storage.shapes.advance(later);
    await storage.shapes.checkpoint();
    const lagging = { position: shape.position, releasable: storage.shapes.releasable };
    shape.publish(later);
    const last = await grow(storage, 30);
    storage.shapes.advance(last);

    await storage.shapes.checkpoint();

    expect({ lagging, caughtUp: { position: shape.position, releasable: storage.shapes.releasable } }).toEqual({
      lagging: { position: before, releasable: before },
      caughtUp: { position: last, releasable: last },
    });
  });

  test('a shape whose Consumer has begun and is behind answers for itself, however far it has come', async () => {
    const shape = await shapeWith([]);
    const taken = await grow(storage, 10);
    shape.publish(taken);
    storage.shapes.advance(taken);
    shape.discard(LSN_ZERO);
    shape.publish(taken, 'behind');
    const later = await grow(storage, 20);
    storage.shapes.advance(later);
    const behind = shape.position;
    shape.publish(later);

    await storage.shapes.checkpoint();

    expect({ behind, along: shape.position, releasable: storage.shapes.releasable }).toEqual({
      behind: taken,
      along: later,
      releasable: later,
    });
  });

  test('a snapshot that does not see what the log has sends its shape back before it, and the log keeps it', async () => {
    await grow(storage, 89);
    const before = await grow(storage, 90);
    await grow(storage, 91); // Logged, and to the snapshot still running.
    storage.shapes.advance(await grow(storage, 92));
    const shape = storage.shapes.create(handle, definition);
    const created = shape.position;
    await storage.shapes.checkpoint();
    await storage.log.release(storage.shapes.releasable);
    await snapshotOf(shape, []);
    storage.shapes.advance(await grow(storage, 93));
    await storage.shapes.checkpoint();
    const { releasable } = storage.shapes;
    await storage.log.release(releasable);
    const rows = `${snapshotEnd},`;

    expect({
      went: created - shape.position > 0,
      position: shape.position,
      releasable,
      record: (await recordsOf(storage.log, created)).find(({ type }) => type === 'shape.snapshotCompleted'),
      read: (await readAll(storage.log, shape.position)).map(({ lsn: commit }) => commit),
    }).toEqual({
      went: true,
      position: before,
      releasable: before,
      record: { type: 'shape.snapshotCompleted', handle, chunks: chunksOf([rows]), pgSnapshot, position: before, ...few(rows) },
      read: ['91', '92', '93'],
    });
  });

  test('a snapshot that sees all the log has leaves its shape where it was created', async () => {
    storage.shapes.advance(await grow(storage, 90));
    const shape = storage.shapes.create(handle, definition);
    const created = shape.position;
    await snapshotOf(shape, []);

    expect(shape.position).toBe(created);
  });

  test('a shape never goes back in the log', async () => {
    const shape = await shapeWith([]);
    const early = await grow(storage, 10);
    const late = await grow(storage, 20);
    shape.publish(late);
    shape.publish(early);

    expect(shape.position).toBe(late);
  });

  test('a new Consumer begins where its shape had gone along to', async () => {
    const shape = await shapeWith([]);
    shape.publish(storage.shapes.position);
    const taken = await grow(storage, 10);
    storage.shapes.advance(taken);
    shape.discard(LSN_ZERO);

    expect(shape.position).toBe(taken);
  });

  test('shapes take nothing that is not durable', async () => {
    const end = await grow(storage, 10);

    expect(() => storage.shapes.advance((end + 1) as LogPosition)).toThrow('only what is durable');
  });

  test('any lines are read alike from every offset, whatever was checkpointed in between', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ lines: fc.array(fc.integer({ min: 2, max: 30 }), { minLength: 1, maxLength: 5 }) }) },
      { weight: 1, arbitrary: fc.constant('checkpoint' as const) },
    );
    let index = 1;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const shape = storage.shapes.create(handleOf((index += 1)), definition);
        await snapshotOf(shape, []);
        const model = new LogModel();
        for (const [at, one] of steps.entries()) {
          if (one === 'checkpoint') await storage.shapes.checkpoint();
          else {
            const lines = one.lines.map((length) => row(length));
            appendLines(shape, 10 + at, lines);
            model.append(10 + at, lines);
          }
        }
        const offsets = model.offsets();
        const reads = await Promise.all(offsets.map((after) => bodyOf(shape.read(after))));
        expect(reads).toEqual(offsets.map((after) => model.read(after)));
      }),
      { numRuns: 60 },
    );
  });
});

/** What verifies chunks of less than a piece. */
function chunksOf(chunks: readonly string[]): { bytes: number; sums: number[] }[] {
  return chunks.map((chunk) => ({ bytes: chunk.length, sums: [crc32(chunk)] }));
}

/** A log as a plain list of lines. */
class LogModel {
  private readonly lines: { readonly offset: LogOffset; readonly line: string; readonly endsChunk: boolean }[] = [];
  private openBytes = 0;

  append(commit: number, lines: readonly string[]): void {
    lines.forEach((line, index) => {
      this.openBytes += line.length;
      const endsChunk = this.openBytes >= CHUNK_BYTES;
      if (endsChunk) this.openBytes = 0;
      this.lines.push({ offset: offset(`${commit}_${2 * index}`), line, endsChunk });
    });
  }

  offsets(): LogOffset[] {
    return [SNAPSHOT_END, ...this.lines.map((line) => line.offset)];
  }

  read(after: LogOffset): { body: string; end: string; upToDate: boolean } {
    const rest = this.lines.slice(this.lines.findIndex((line) => line.offset === after) + 1);
    const chunk = rest.slice(0, (rest.findIndex(({ endsChunk }) => endsChunk) + 1 || rest.length));
    const end = chunk.at(-1)?.offset ?? after;
    return { body: chunk.map(({ line }) => line).join(','), end, upToDate: chunk.length === rest.length };
  }
}
