import { expect, test } from 'vitest';
import { RecentEnds } from '../../../src/actors/directory/recent-ends.ts';
import { handleOf } from '../../support/shapes.ts';

test('what a thousand shapes depended on that have ended is known, and no more', () => {
  const ends = new RecentEnds();
  ends.noteFailure(handleOf(0), { shutdown: { delete: 'snapshotFailed', error: 'no such table' } });
  for (let outer = 1; outer <= 1_001; outer += 1) ends.noteInner(handleOf(outer), [handleOf(0)]);

  expect([0, 1, 2, 1_001].map((index) => ends.failureOf(handleOf(index)))).toEqual([
    'no such table', undefined, 'no such table', 'no such table',
  ]);
});
