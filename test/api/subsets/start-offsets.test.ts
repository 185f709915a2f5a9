import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StartOffsets } from '../../../src/api/subsets/start-offsets.ts';
import { compareOffsets, offsetOf } from '../../../src/model/log-offset.ts';
import type { Lsn } from '../../../src/model/lsn.ts';
import type { Handle } from '../../../src/model/shape.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const HANDLE = '1-1' as Handle;
const at = (lsn: number) => offsetOf(String(lsn) as Lsn, 0);

test.each([true, false])('requests within a minute of each other begin where all of their snapshots have seen (%s)', (isEachKnown) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 70_000 }), { maxLength: 40 }), (pauses) => {
      const clock = new ManualClock();
      const starts = new StartOffsets(clock);
      const asked = pauses.map((pauseMs, index) => {
        clock.advance(pauseMs);
        const end = at(index + 1); // The log grows before each.
        return { atMs: clock.nowMs(), end, start: starts.startOf(HANDLE, end, isEachKnown) };
      });
      return asked.every((one) => asked.every((other) => {
        const isTogether = Math.abs(one.atMs - other.atMs) < 60_000;
        return !isTogether || compareOffsets(one.start, other.end) <= 0;
      }));
    }),
  );
});

test.each([true, false])('nobody begins further back than a minute and a second (%s)', (isEachKnown) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 200_000 }), { minLength: 1, maxLength: 40 }), (pauses) => {
      const clock = new ManualClock();
      const starts = new StartOffsets(clock);
      const begins = new Map<string, number>();
      return pauses.every((pauseMs, index) => {
        clock.advance(pauseMs);
        const end = at(index + 1);
        begins.set(end, clock.nowMs());
        return clock.nowMs() - (begins.get(starts.startOf(HANDLE, end, isEachKnown)) ?? 0) < 61_000;
      });
    }),
  );
});

test('shapes have nothing to do with each other, and of too many the oldest is forgotten', () => {
  const starts = new StartOffsets(new ManualClock());
  const first = starts.startOf(HANDLE, at(1), false);
  const others = Array.from({ length: 10_000 }, (_, index) => starts.startOf(`2-${index}` as Handle, at(2), false));
  expect([first, new Set(others), starts.startOf(HANDLE, at(3), false)]).toEqual([at(1), new Set([at(2)]), at(3)]);
});

test('nobody begins behind the end that he has found, whoever was answered before', () => {
  const starts = new StartOffsets(new ManualClock());
  expect([starts.startOf(HANDLE, at(5), false), starts.startOf(HANDLE, at(4), false)]).toEqual([at(5), at(4)]);
});

test('of ends that are read within a second the first is kept', () => {
  const clock = new ManualClock();
  const starts = new StartOffsets(clock);
  const begun = [0, 500, 400, 59_000, 1_000, 1_000].map((pauseMs, index) => {
    clock.advance(pauseMs);
    return starts.startOf(HANDLE, at(index), false);
  });
  expect(begun).toEqual([at(0), at(0), at(0), at(0), at(3), at(3)]);
});

test('behind a place where nobody may begin all begin together again, at the first end that has been read behind it', () => {
  const starts = new StartOffsets(new ManualClock());
  const begun = [1, 5, 7].map((lsn) => starts.startOf(HANDLE, at(lsn), true));
  const behind = [7, 5].map((lsn) => starts.startBehind(HANDLE, at(1), at(lsn)));
  expect([begun, behind, starts.startOf(HANDLE, at(9), true)]).toEqual([[at(1), at(1), at(1)], [at(5), at(5)], at(5)]);
});

test('an end that is read again is noted once, and of too many the first are forgotten', () => {
  const starts = new StartOffsets(new ManualClock());
  const begun = Array.from({ length: 600 }, (_, index) => starts.startOf(HANDLE, at(1 + (index >> 1)), true));
  expect([begun[511], starts.startBehind(HANDLE, at(1), at(300)), starts.startOf(HANDLE, at(301), true)]).toEqual([at(1), at(45), at(45)]);
});

test('who begins behind an end of his own that has been forgotten begins at it, and with him all that come', () => {
  const starts = new StartOffsets(new ManualClock());
  expect([starts.startBehind(HANDLE, at(1), at(5)), starts.startOf(HANDLE, at(9), true)]).toEqual([at(5), at(5)]);
});
