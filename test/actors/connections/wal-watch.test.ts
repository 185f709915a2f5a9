/** What an operator reads of the WAL that our slot keeps: when it is much, when that has doubled, and when it is over. */
import { expect, test } from 'vitest';
import { walWatch } from '../../../src/actors/connections/wal-watch.ts';
import { walk } from '../../support/actors/lone-machine.ts';

const seen = (retainedBytes: number, more = {}) => ({
  type: 'slot.seen', slot: 'electric_slot_a', seenMicros: 0, retainedBytes, flushLagBytes: 0, safeBytes: null, isActive: true, ...more,
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

test('it is said how much it is, since when, and what comes of it', () => {
  const minuteMicros = 60_000_000;
  const [first, second, third, fourth] = notesOf(
    seen(1_500 * 1024 ** 2), seen(3_000 * 1024 ** 2, { seenMicros: minuteMicros, safeBytes: 700 * 1024 ** 2 }),
    seen(10), seen(200, { seenMicros: 2 * minuteMicros, safeBytes: -1 }),
  );

  const givenUp = 'it gives the slot up';
  const kept = (size: string): string => `Postgres keeps ${size} of WAL on its disk for the replication slot electric_slot_a`;
  expect([first, second, third, fourth]).toMatchObject([
    {
      slot: 'electric_slot_a', since: '1970-01-01T00:00:00.000Z',
      meaning: `${kept('1.5 GiB')}, and keeps all that is written until its disk is full: max_slot_wal_keep_size sets no limit.`,
    },
    {
      since: '1970-01-01T00:00:00.000Z',
      meaning: `${kept('2.9 GiB')}. When 700.0 MiB more are written ${givenUp} (max_slot_wal_keep_size), and all shapes start over.`,
    },
    { what: 'wal.released' },
    {
      since: '1970-01-01T00:02:00.000Z',
      meaning: `${kept('200 bytes')}. That is its limit (max_slot_wal_keep_size): ${givenUp}, and all shapes start over.`,
    },
  ]);
});

const LAST_RESORT = "Before the disk is full: stop the service, and SELECT pg_drop_replication_slot('electric_slot_a')";

test.each([
  ['nobody streams', { isActive: false }, 'Nobody streams', true],
  ['the service is behind', { flushLagBytes: 90 }, 'has yet to take it', true],
  ['a transaction stays open', { flushLagBytes: 1, safeBytes: 7 }, 'open for long', false],
])('it is said what to do where %s', (_, more, words, isLastResort) => {
  const limit = 'safeBytes' in more ? { safeBytes: 7 } : {};
  const [note] = notesOf(seen(150, more)) as readonly { readonly advice: string }[];

  expect([note, note?.advice.includes(LAST_RESORT)]).toMatchObject([{ advice: expect.stringContaining(words), ...limit }, isLastResort]);
});
