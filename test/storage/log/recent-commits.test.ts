/** How far back a snapshot can send a shape, and that this is bounded. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { LogPosition } from '../../../src/model/log-position.ts';
import { isVisible, parsePgSnapshot, type PgSnapshot, type Xid } from '../../../src/model/pg-snapshot.ts';
import { RECENT_COMMITS_MAX, RecentCommits } from '../../../src/storage/log/recent-commits.ts';
import { lsn, xid } from '../../support/storage/stored-samples.ts';

const at = (position: number): LogPosition => position as LogPosition;
const seesNothing = parsePgSnapshot('100:100:', lsn(0));

/** Transactions of ten bytes each, one behind the other; each ends at ten times its xid. */
function commits(from: number, to: number, logBytesMax: number): RecentCommits {
  const recent = new RecentCommits(logBytesMax);
  for (let id = from; id < to; id += 1) recent.push(xid(id), at(10 * id - 10), at(10 * id));
  return recent;
}

test('reaches back over a stretch of the log, and says where it begins', () => {
  const recent = commits(100, 200, 250);

  expect({ start: recent.start, firstUnseen: recent.firstUnseen(seesNothing) }).toEqual({ start: 1740, firstUnseen: 1740 });
});

test('keeps the newest transaction, however large', () => {
  const recent = commits(100, 200, 250);
  recent.push(xid(200), at(1990), at(1_000_000));

  expect({ start: recent.start, firstUnseen: recent.firstUnseen(seesNothing) }).toEqual({ start: 1990, firstUnseen: 1990 });
});

test('keeps a bounded number, also while many more go by', () => {
  const recent = commits(100, 100 + 3 * RECENT_COMMITS_MAX, Number.POSITIVE_INFINITY);

  expect(recent.start).toBe(10 * (99 + 2 * RECENT_COMMITS_MAX));
});

/** What no index could get wrong. */
function firstUnseenOf(pushed: readonly Xid[], first: number, snapshot: PgSnapshot): LogPosition | undefined {
  const index = pushed.findIndex((each, place) => place >= first && !isVisible(each, snapshot));
  return index === -1 ? undefined : at(index);
}

test('finds the first that a snapshot does not see, in whatever order they committed and however many went by', () => {
  const distances = fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 1, maxLength: 40 });
  const [kept, high, running] = [fc.integer({ min: 1, max: 2_000 }), fc.nat(2_500), fc.array(fc.nat(2_500))];
  fc.assert(
    fc.property(fc.constantFrom(1_000, 2 ** 32 - 1_000), distances, kept, high, running, (base, apart, count, from, waitedFor) => {
      const recent = new RecentCommits(count);
      const ids = Array.from({ length: 2_000 }, (_, index) => 40 * index + (apart[index % apart.length] ?? 0));
      const pushed = [...new Set(ids)].map((id) => ((base + id) % 2 ** 32) as Xid);
      for (const [index, id] of pushed.entries()) recent.push(id, at(index), at(index + 1));
      const idAt = (index: number): string => String(base + 40 * index);
      const xip = waitedFor.filter((each) => each < from).map(idAt);
      const snapshot = { xmin: idAt(Math.min(from, ...waitedFor)), xmax: idAt(from), xip, insertLsn: lsn(0) };

      expect(recent.firstUnseen(snapshot)).toBe(firstUnseenOf(pushed, Math.max(0, pushed.length - count), snapshot));
    }),
    { numRuns: 200 },
  );
});

test('to ask costs much the same after a hundred times as many commits', () => {
  const [few, many] = [500, 50_000].map((count) => commits(100, 100 + count, Number.POSITIVE_INFINITY));
  const seesAll = parsePgSnapshot('90:60000:90', lsn(0)); // The one that it waits for is old.
  const costOf = (recent: RecentCommits | undefined): number => {
    const rounds = Array.from({ length: 20 }, () => {
      const begin = systemClock.nowMs();
      for (let times = 0; times < 200; times += 1) recent?.firstUnseen(seesAll);
      return systemClock.nowMs() - begin;
    });
    return Math.min(...rounds);
  };

  expect(costOf(many) / costOf(few)).toBeLessThan(20);
});

test('knows where each of the newest begins, and the highest of those that it knows no more', () => {
  const recent = commits(100, 200, 250);
  recent.push(xid(150), at(1990), at(2000)); // It began long ago, and commits last.

  expect([recent.beginOf(xid(150)), recent.beginOf(xid(199)), recent.beginOf(xid(100)), recent.droppedThrough]).toEqual([
    1990, 1980, undefined, 175,
  ]);
});

test('still knows the newest when more have gone by than are remembered, asked now and then', () => {
  const recent = new RecentCommits(Number.POSITIVE_INFINITY);
  const last = 3 * RECENT_COMMITS_MAX;
  const found: (number | undefined)[] = [];
  for (let commit = 1; commit <= last; commit += 1) {
    recent.push(xid(commit), at(10 * (commit - 1)), at(10 * commit));
    if (commit % 10_000 === 0) found.push((recent.beginOf(xid(commit)) ?? 0) - 10 * (commit - 1));
  }
  const seesAllButTheLast = parsePgSnapshot(`${last}:${last}:`, lsn(0));

  expect([new Set(found), recent.firstUnseen(seesAllButTheLast)]).toEqual([new Set([0]), 10 * (last - 1)]);
});

test('a log without transactions holds back nothing', () => {
  const { start } = new RecentCommits(250);

  expect(start).toBeUndefined();
});
