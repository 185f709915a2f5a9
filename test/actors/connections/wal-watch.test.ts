/** What an operator reads of the WAL that our slot keeps: when it is much, when that has doubled, and when it is over. */
import { expect, test } from 'vitest';
import { walWatch } from '../../../src/actors/connections/wal-watch.ts';
import { walk } from '../../support/actors/lone-machine.ts';

const seen = (retainedBytes: number, more = {}) => ({
  type: 'slot.seen', retainedBytes, flushLagBytes: 0, safeBytes: null, isActive: true, ...more,
});
const look = { type: 'timeout.look' };

/** The notes of a watch that sees these, one after the other. */
function notesOf(...answers: readonly { type: string }[]): readonly unknown[] {
  const events = answers.flatMap((answer) => [look, answer]);
  return events.flatMap((_, index) => {
    const { asked } = walk(walWatch, { retainedBytesMax: 100 }, ...events.slice(0, index + 1));
    return asked.flatMap(({ type, params }) => (type === 'send' ? [(params as { event: object }).event] : []));
  });
}

test('it is told beyond the bound, again when it has doubled, and when half of the bound is left', () => {
  const notes = notesOf(...[99, 100, 150, 199, 200, 120, 99, 50, 49, 99, 100].map((bytes) => seen(bytes)), { type: 'slot.unseen' });

  expect(notes).toMatchObject([
    { what: 'wal.retained', level: 'warn', retainedBytes: 100 },
    { what: 'wal.retained', retainedBytes: 200 },
    { what: 'wal.released', level: 'info', retainedBytes: 49 },
    { what: 'wal.retained', retainedBytes: 100 },
  ]);
});

test.each([
  ['nobody streams', { isActive: false }, 'Nobody streams'],
  ['the service is behind', { flushLagBytes: 90 }, 'has yet to take it'],
  ['a transaction stays open', { flushLagBytes: 1, safeBytes: 7 }, 'open for long'],
])('it is said what to do where %s', (_, more, words) => {
  const limit = 'safeBytes' in more ? { safeBytes: 7 } : {};
  expect(notesOf(seen(150, more))).toMatchObject([{ advice: expect.stringContaining(words), ...limit }]);
});
