/** That the newest transactions are there without a gap, whatever was let go before them. */
import { expect, test } from 'vitest';
import type { LogPosition } from '../../../src/model/log-position.ts';
import { TailCache } from '../../../src/storage/log/tail-cache.ts';
import { lsn, xid } from '../../support/storage/stored-samples.ts';

const at = (position: number) => position as LogPosition;
/** What ten transactions without a change take. */
const TEN = 10 * 128;

/** Pushes the transactions that end at `from`, behind it, and so on. */
function push(cache: TailCache, from: number, count: number): void {
  for (let end = from; end < from + count; end += 1) {
    cache.push({ xid: xid(end), lsn: lsn(end), end: at(end), isUnfinished: false, fragments: [] });
  }
}

/** Where those end that it has. */
function endsIn(cache: TailCache): readonly number[] {
  const block = cache.read({ after: cache.start, through: at(10_000) }, Number.MAX_SAFE_INTEGER);
  return (block?.transactions ?? []).map(({ end }) => end);
}

test('however many are let go, every transaction behind them is there', () => {
  const cache = new TailCache(at(0), Number.MAX_SAFE_INTEGER);
  push(cache, 1, 3_000);
  cache.forget(at(2_997));

  expect([cache.start, endsIn(cache)]).toEqual([2_997, [2_998, 2_999, 3_000]]);
});

test('behind one that was too large there is room for as many as before', () => {
  const cache = new TailCache(at(0), TEN);
  push(cache, 1, 10);
  cache.skip(at(11));
  push(cache, 12, 10);

  expect([cache.start, endsIn(cache).length]).toEqual([11, 10]);
});

test('a copy lets go of the same as its original', () => {
  const cache = new TailCache(at(0), TEN);
  push(cache, 1, 15);
  const copy = cache.clone();
  for (const each of [cache, copy]) push(each, 16, 3);

  expect([copy.start, endsIn(copy)]).toEqual([cache.start, endsIn(cache)]);
});
