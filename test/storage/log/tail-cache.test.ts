/** That the newest transactions are there without a gap, whatever was let go before them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogPosition } from '../../../src/model/log-position.ts';
import { TailCache } from '../../../src/storage/log/tail-cache.ts';
import { lsn, xid } from '../../support/storage/stored-samples.ts';

const at = (position: number) => position as LogPosition;
/** What ten transactions without a change take. */
const TEN = 10 * 192;

/** Pushes the transactions that end at `from`, behind it, and so on. */
function push(cache: TailCache, from: number, count: number): void {
  for (let end = from; end < from + count; end += 1) {
    cache.push({ xid: xid(end), lsn: lsn(end), start: at(end - 1), end: at(end), isUnfinished: false, fragments: [], layouts: undefined });
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

/** Layouts of each transaction, undefined where nobody told them. */
const someLayouts = fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { minLength: 1 });
const touched = fc.array(fc.option(someLayouts, { nil: undefined, freq: 8 }), { maxLength: 40 });

test('who follows some layouts has each transaction that touched one of them, once, and each of which that is not known', () => {
  fc.assert(
    fc.property(touched, someLayouts, fc.nat(40), fc.nat(40), (all, followed, forgotten, after) => {
      const cache = new TailCache(at(0), Number.MAX_SAFE_INTEGER);
      for (const [index, layouts] of all.entries()) {
        cache.push({ xid: xid(index), lsn: lsn(index), start: at(index), end: at(index + 1), isUnfinished: false, fragments: [], layouts });
      }
      cache.forget(at(forgotten));
      const from = Math.max(after, cache.start);
      const expected = all.flatMap((layouts, index) => {
        const isWanted = layouts === undefined || layouts.some((id) => followed.includes(id));
        return isWanted && index + 1 > from ? [index + 1] : [];
      });

      const read = (tail: TailCache) =>
        tail.read({ after: at(from), through: at(1_000) }, Number.MAX_SAFE_INTEGER, followed)?.transactions.map(({ end }) => end);
      expect([read(cache), read(cache.clone())]).toEqual([expected, expected]);
    }),
    { numRuns: 500 },
  );
});

test('a block of what one layout touched ends behind the last that came into it, or where all was asked for', () => {
  const cache = new TailCache(at(0), Number.MAX_SAFE_INTEGER);
  for (let end = 1; end <= 10; end += 1) {
    const layouts = [1 + (end % 2)];
    cache.push({ xid: xid(end), lsn: lsn(end), start: at(end - 1), end: at(end), isUnfinished: false, fragments: [], layouts });
  }
  const [some, rest] = [1, Number.MAX_SAFE_INTEGER].map((fillBytes) => cache.read({ after: at(0), through: at(10) }, fillBytes, [2]));

  expect([some?.through, rest?.through, rest?.transactions.length]).toEqual([1, 10, 5]);
});

test('who has begun a transaction as it lies in the log does not get all of it from here', () => {
  const cache = new TailCache(at(0), Number.MAX_SAFE_INTEGER);
  cache.push({ xid: xid(1), lsn: lsn(1), start: at(10), end: at(20), isUnfinished: false, fragments: [], layouts: [1] });
  const read = (after: number, layout?: number): unknown => {
    const block = cache.read({ after: at(after), through: at(30) }, Number.MAX_SAFE_INTEGER, layout === undefined ? undefined : [layout]);
    return block?.transactions.length;
  };

  const [before, atItsBegin, inIt, inItOfOthers, behind] = [read(5), read(10), read(15), read(15, 2), read(20)];

  expect({ before, atItsBegin, inIt, inItOfOthers, behind }).toEqual({
    before: 1, atItsBegin: 1, inIt: undefined, inItOfOthers: 0, behind: 0,
  });
});
