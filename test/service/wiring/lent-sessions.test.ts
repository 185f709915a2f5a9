/** A pooler that lends no session is told of when it begins, and when it is over. */
import { expect, test } from 'vitest';
import { note } from '../../../src/actors/journal.ts';
import { lendingOf } from '../../../src/service/wiring/lent-sessions.ts';

test('what is found again and again is told once, and nothing is told of one that has always lent', () => {
  const told: unknown[] = [];
  const found = lendingOf({ send: (to, event) => void told.push({ to, event }) }, 15_000);

  for (const isWithheld of [false, true, true, false, false, true]) found(isWithheld);

  const withheld = note('warn', 'sessions.withheld', { withinMs: 15_000 });
  const notes = [withheld, note('info', 'sessions.lent'), withheld];
  expect(told).toEqual(notes.map(({ to, event }) => ({ to, event })));
});
