/** From where a client goes on behind a subset, when others begin beside it. */
import { expect, test } from 'vitest';
import { StartOffsets } from '../../../src/api/subsets/start-offsets.ts';
import type { SubsetReader } from '../../../src/api/subsets/subset-source.ts';
import { abortSignalOf } from '../../../src/base/stop-signal.ts';
import { LSN_ZERO } from '../../../src/model/lsn.ts';
import type { LogOffset } from '../../../src/model/log-offset.ts';
import type { LogPosition } from '../../../src/model/log-position.ts';
import type { ShapeDefinition } from '../../../src/model/shape.ts';
import { GatheredRows } from '../../../src/service/wiring/subsets/gathered-rows.ts';
import { SubsetTarget, type SubsetOf } from '../../../src/service/wiring/subsets/subset-target.ts';
import { ChangeConverter } from '../../../src/shapes/change-converter.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, itemsLayout, shapeOf } from '../../support/shapes.ts';
import { bytes, lsn, pgSnapshot, snapshotOf } from '../../support/storage/stored-samples.ts';

const ALL_ROWS = { filter: undefined, order: undefined, limit: undefined, offset: undefined };

/** One that begins now. */
function newReader(starts: StartOffsets, canMove: boolean): SubsetReader {
  return {
    handle: handleOf(1), isNew: true, mark: 1, signal: new AbortController().signal,
    from: (end) => starts.startOf(handleOf(1), end, canMove),
    fromBehind: (start, end) => starts.startBehind(handleOf(1), start, end),
  };
}

function subsetOf(clock: ManualClock, definition: ShapeDefinition): SubsetOf {
  const storage = memoryStorage({ clock, chunkBytesMax: 1_000 });
  const shapeLog = storage.shapes.create(handleOf(1), definition);
  return {
    shapeLog, log: storage.log, where: undefined, lines: new ChangeConverter(definition, undefined, () => itemsLayout),
    holdViewsAt: () => undefined, shown: () => {}, isSplicing: () => false,
  };
}

test('of two that begin, the second of which has its snapshot first, both go on from where the first asked', async () => {
  const clock = new ManualClock();
  const of = subsetOf(clock, shapeOf({}));
  const { shapeLog } = of;
  await snapshotOf(shapeLog, []);
  const starts = new StartOffsets(clock);
  const ask = () => new SubsetTarget(of, newReader(starts, false), ALL_ROWS, new GatheredRows(() => {}), new AbortController().signal);
  const first = ask();
  const { end } = shapeLog;
  shapeLog.append(lsn(10), 0, bytes('{"key":"between"}'));
  shapeLog.publish(0 as LogPosition);
  const second = ask();

  for (const target of [second, first]) target.begin({ ...pgSnapshot, insertLsn: LSN_ZERO }, async () => {});

  expect([await second.seen?.joined, await first.seen?.joined]).toEqual([{ from: end, by: 'leavingOut' }, { from: end, by: 'leavingOut' }]);
});

test('of two that begin behind a move, the second of which has its snapshot first, both go on from where the first asked', async () => {
  const clock = new ManualClock();
  const of = subsetOf(clock, { ...shapeOf({}), log: 'changes_only', dependencies: [] });
  const { shapeLog } = of;
  await snapshotOf(shapeLog, []);
  const starts = new StartOffsets(clock);
  const ask = () => new SubsetTarget(of, newReader(starts, true), ALL_ROWS, new GatheredRows(() => {}), new AbortController().signal);
  ask(); // Of another client, before the move.
  shapeLog.append(lsn(10), 0, bytes('{"headers":{"event":"move-in"}}'));
  shapeLog.publish(0 as LogPosition);
  const { end } = shapeLog;
  const first = ask();
  shapeLog.append(lsn(11), 0, bytes('{"key":"between"}'));
  shapeLog.publish(1 as LogPosition);
  const second = ask();

  const joined = [];
  for (const target of [second, first]) {
    target.begin({ ...pgSnapshot, insertLsn: LSN_ZERO }, async () => {});
    joined.push(await target.seen?.joined);
  }

  expect(joined).toEqual([{ from: end, by: 'leavingOut' }, { from: end, by: 'leavingOut' }]);
});

test('a part of the rows is not read by a snapshot before a splice that is recorded has its lines', async () => {
  const clock = new ManualClock();
  const [before, behind] = [['1_0' as LogOffset], ['2_0' as LogOffset]];
  const holdViewsAt = (views: readonly LogOffset[]) => ({ views, isMember: () => true, texts: () => [] });
  const of = { ...subsetOf(clock, { ...shapeOf({}), dependencies: [] }), holdViewsAt };
  const { shapeLog } = of;
  shapeLog.beginViews(before);
  await snapshotOf(shapeLog, []);
  const { position } = shapeLog;
  shapeLog.recordSplice({ place: position, through: position, views: behind, pgSnapshot, first: '1_0' as LogOffset, rows: null });
  const reader = newReader(new StartOffsets(clock), true);
  const target = new SubsetTarget(of, reader, ALL_ROWS, new GatheredRows(() => {}), abortSignalOf(reader.signal));

  const isNewEnough = [target.isNewEnough(pgSnapshot)];
  shapeLog.takeSplice();
  isNewEnough.push(target.isNewEnough(pgSnapshot));
  shapeLog.publish(position);
  isNewEnough.push(target.isNewEnough(pgSnapshot), target.isNewEnough(pgSnapshot)); // From where it stands since the last refusal.

  expect(isNewEnough).toEqual([false, false, false, true]);
});
