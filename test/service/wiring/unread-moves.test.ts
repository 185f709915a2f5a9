/** Who has yet to read of a move is found, however many chunks lie between; who reads first rows alone has none to read of. */
import { expect, test } from 'vitest';
import { BEFORE_ALL, SNAPSHOT_END } from '../../../src/model/log-offset.ts';
import type { LogPosition } from '../../../src/model/log-position.ts';
import { tellsMoves } from '../../../src/service/wiring/subsets/unread-moves.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { bytes, lsn, snapshotOf } from '../../support/storage/stored-samples.ts';

const ROW = `{"key":"${'x'.repeat(400)}"}`;
const QUOTED = `{"key":"a","value":{"title":"${'{"headers":{"event"'.replaceAll('"', '\\"')}"}}`;
const EVENT = '{"headers":{"event":"move-out"}}';

test.each([
  { what: 'nothing', lines: [], moves: false },
  { what: 'rows in many chunks', lines: Array.from({ length: 20 }, () => ROW), moves: false },
  { what: 'an event in a row', lines: [QUOTED], moves: false },
  { what: 'an event', lines: [EVENT], moves: true },
  { what: 'an event, many chunks on', lines: [...Array.from({ length: 20 }, () => ROW), EVENT], moves: true },
  { what: 'more than is looked through', lines: Array.from({ length: 6 }, () => `{"key":"${'x'.repeat(1024 * 1024)}"}`), moves: true },
])('behind the first rows: $what', async ({ lines, moves }) => {
  const storage = memoryStorage({ clock: new ManualClock(), chunkBytesMax: 1_000 });
  const shape = storage.shapes.create(handleOf(1), shapeOf({}));
  await snapshotOf(shape, ['{"key":"first"}']);
  lines.forEach((line, index) => shape.append(lsn(10 + index), 0, bytes(line)));
  shape.publish(0 as LogPosition);

  expect([await tellsMoves(shape, BEFORE_ALL), await tellsMoves(shape, SNAPSHOT_END), await tellsMoves(shape, shape.end)])
    .toEqual([moves, moves, false]);
});
