/** What is asked for stays; what nobody asks for goes, and of too much what was asked for longest ago. */
import { expect, test } from 'vitest';
import { RecentMap, type RecentBounds } from '../../src/base/recent-map.ts';
import { ManualClock } from '../support/manual-clock.ts';

const KEYS = ['a', 'b', 'c', 'd'];

function mapOf(bounds: Partial<RecentBounds>) {
  const clock = new ManualClock();
  return { clock, map: new RecentMap<string>(clock, { weightMax: 1_000, idleMsMax: 1_000, ...bounds }) };
}

function keptIn(map: RecentMap<string>): readonly string[] {
  return KEYS.filter((key) => map.get(key) !== undefined);
}

test.each([
  ['so many', { countMax: 2 }, ['a', 'c']],
  ['so much', { weightMax: 25 }, ['a', 'c']],
])('of more than %s that goes which was asked for longest ago', (_, bounds, kept) => {
  const { map } = mapOf(bounds);
  map.set('a', 'first', 10);
  map.set('b', 'second', 10);
  map.get('a');
  map.set('c', 'third', 10);
  expect([keptIn(map), map.size]).toEqual([kept, 2]);
});

test('what nobody has asked for in a while goes with the next that comes', () => {
  const { map, clock } = mapOf({});
  for (const key of ['a', 'b']) map.set(key, key, 1);
  clock.advance(800);
  map.get('a');
  clock.advance(800);
  map.set('c', 'c', 1);
  expect([keptIn(map), map.size]).toEqual([['a', 'c'], 2]);
});

test('what is set again weighs once', () => {
  const { map } = mapOf({ weightMax: 20 });
  for (const value of ['old', 'new']) map.set('a', value, 10);
  map.set('b', 'b', 10);
  expect([map.get('a'), keptIn(map)]).toEqual(['new', ['a', 'b']]);
});

test('one that is too much alone is not kept', () => {
  const { map } = mapOf({ weightMax: 20 });
  map.set('a', 'a', 21);
  map.set('b', 'b', 20);
  expect(keptIn(map)).toEqual(['b']);
});
