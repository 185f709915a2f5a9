/** How far back a snapshot can send a shape, and that this is bounded. */
import { expect, test } from 'vitest';
import type { LogPosition } from '../../../src/model/log-position.ts';
import { parsePgSnapshot } from '../../../src/model/pg-snapshot.ts';
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

test('a log without transactions holds back nothing', () => {
  const { start } = new RecentCommits(250);

  expect(start).toBeUndefined();
});
