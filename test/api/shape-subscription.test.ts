/** A shape that is followed in the process: a large answer is taken step by step, and others have a turn in between. */
import { expect, test } from 'vitest';
import type { Permit } from '../../src/api/admission.ts';
import { STRETCH_BYTES } from '../../src/api/message-stretches.ts';
import { subscription } from '../../src/api/shape-subscription.ts';
import type { LogAnswer } from '../../src/api/shape-response.ts';
import type { LogOffset } from '../../src/model/log-offset.ts';
import type { Handle } from '../../src/model/shape.ts';
import { ManualClock } from '../support/manual-clock.ts';

const ROW_BYTES = 100_000;
const PERMIT: Permit = { promote: () => {}, release: () => {} };

/** Follows a shape of so many large rows. */
function follow(rowCount: number) {
  const rows = Array.from({ length: rowCount }, (_, index) => ({
    key: String(index), value: { text: 'x'.repeat(ROW_BYTES) }, headers: { operation: 'insert' },
  }));
  const answer: LogAnswer = {
    kind: 'log', status: 200, form: 'json', handle: '1-1' as Handle, offset: '1_0' as LogOffset, upToDate: true, hasData: true, etag: '"1"',
    cacheControl: 'no-store', body: [Buffer.from(JSON.stringify(rows))],
  };
  const clock = new ManualClock();
  const leaving = new AbortController();
  const api = { admit: () => PERMIT, readShape: () => Promise.resolve(answer) };
  return { clock, leaving, messages: subscription({ api, clock }, {}, leaving.signal) };
}

test('between two stretches of an answer others have a turn', async () => {
  const { clock, messages } = follow(4);
  for (let count = 0; count * ROW_BYTES < STRETCH_BYTES; count += 1) await messages.next();

  const waiting = messages.next();
  const before = await Promise.race([waiting, Promise.resolve('waits').then((text) => text)]);
  const timers = clock.pendingTimers;
  clock.advance(0);

  expect([before, timers, (await waiting).value]).toMatchObject(['waits', 1, { key: '3' }]);
});

test('who leaves in between gets nothing more', async () => {
  const { leaving, messages } = follow(4);
  for (let count = 0; count * ROW_BYTES < STRETCH_BYTES; count += 1) await messages.next();
  const waiting = messages.next();

  leaving.abort();

  expect(await waiting).toEqual({ value: undefined, done: true });
});
