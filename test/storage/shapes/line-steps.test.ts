/** Many lines in memory are given step by step, from wherever they are by then: who reads slowly keeps none of them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isInMemory } from '../../../src/api/shape-response.ts';
import type { EntryRun } from '../../../src/model/log-entry.ts';
import { SNAPSHOT_END } from '../../../src/model/log-offset.ts';
import { PIECE_BYTES } from '../../../src/storage/shapes/piece.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { appendLines, offset, runsOf, snapshotOf, text } from '../../support/storage/stored-samples.ts';
import { engines } from '../engines.ts';

const LINES = 60;
/** Of a transaction: far more than a reader is given at once. */
const lines = Array.from({ length: LINES }, (_, number) => JSON.stringify({ number, padding: 'x'.repeat(50_000) }));
const whole = lines.map((line) => `${line},`).join('');

describe.each(engines)('lines in steps: $name', ({ open }) => {
  let storage: Storage;
  let shape: ShapeLog;

  beforeEach(async () => {
    storage = await open();
    shape = storage.shapes.create(handleOf(1), shapeOf({}));
    await snapshotOf(shape, []);
    appendLines(shape, 100, lines);
  });

  afterEach(() => storage.close());

  test('no step is much larger than a piece, and together they are all lines, of which the last goes not on', async () => {
    const runs: EntryRun[] = [];
    for await (const run of runsOf(shape.read(SNAPSHOT_END))) runs.push(run);
    expect({
      isSmall: runs.every(({ bytes }) => bytes.length <= PIECE_BYTES),
      isWhole: runs.map(({ bytes }) => text(bytes)).join('') === whole,
      goesOn: runs.findIndex(({ goesOn }) => !goesOn) - (runs.length - 1),
    }).toEqual({ isSmall: true, isWhole: true, goesOn: 0 });
  });

  test.each([0, 1, 5])('lines that leave the memory behind step %i, and others that come, change nothing', async (step) => {
    const runs = runsOf(shape.read(offset('100_0')));
    let body = '';
    for (let number = 0; number < step; number += 1) body += text((await runs.next()).value.bytes);
    await storage.shapes.checkpoint();
    appendLines(shape, 200, lines);
    for await (const { bytes } of runs) body += text(bytes);
    expect(body === whole.slice(`${lines[0]},`.length)).toBe(true);
  });

  test('a shape that is deleted is read to its end by whoever has begun, and begun by nobody', async () => {
    const [runs, late] = [runsOf(shape.read(SNAPSHOT_END)), runsOf(shape.read(SNAPSHOT_END))];
    let body = text((await runs.next()).value.bytes);
    storage.shapes.delete(handleOf(1), 'the test says so');
    for await (const { bytes } of runs) body += text(bytes);
    await expect(late.next()).rejects.toThrow('was deleted');
    expect(body === whole).toBe(true);
  });

  test('few lines are there at once, so that many readers are given the same', () => {
    appendLines(shape, 200, lines.slice(0, 2));
    const read = shape.read(offset(`100_${2 * (LINES - 1)}`));
    expect(read.outcome === 'entries' && isInMemory(read.runs)).toBe(true);
  });
});
