/** Who is told that Postgres can be asked, and when it is asked again whether that is still so. */
import { expect, test } from 'vitest';
import { DELAY_MS_MAX, FIRST_DELAY_MS } from '../../../src/actors/connections/back-off.ts';
import { connectionPools } from '../../../src/actors/connections/connection-pools.ts';
import type { Message } from '../../../src/otp/process.ts';
import { walk } from '../../support/actors/lone-machine.ts';

const after = (...events: readonly Message[]) => walk(connectionPools, { self: 'pools#1' }, ...events);
const up = { type: 'pools.up' };
const down = { type: 'pools.down', error: { code: 'no', message: 'no' }, fatal: false };
const probe = { type: 'probe' };
const report = { type: 'reportCondition' };
const retry = { type: 'timeout.retry' };
const check = { type: 'timeout.check' };
const askPools = { type: 'call', params: { to: '@pools', request: { type: 'probe' }, as: 'pools' } };
const met = { type: 'condition.met', condition: 'pools', process: 'pools#1' };
const lost = { type: 'condition.lost', condition: 'pools' };

/** What the status monitor heard last. */
function told(...events: readonly Message[]): readonly unknown[] {
  return after(...events).asked.flatMap(({ params }) => {
    const { to, event } = params as { to?: string; event?: unknown };
    return to === '@status-monitor' ? [event] : [];
  });
}

function retriedAfterMs(...events: readonly Message[]): unknown {
  const timer = after(...events).asked.findLast(({ type }) => type === 'startTimer');
  return (timer?.params as { delayMs?: number } | undefined)?.delayMs;
}

test.each([
  ['that come', [up], [met]],
  ['of which a check fails', [up, check, down], [lost]],
  ['whose port ends while they are checked', [up, check, { type: 'pools.failed', reason: 'killed' }], [lost]],
  ['that are up, when it asks', [up, report], [met]],
  ['that are being checked, when it asks', [up, check, report], [met]],
  ['that are away, when it asks', [down, report], []],
])('of pools %s the status monitor hears that', (_, events, heard) => {
  expect(told(...events)).toEqual(heard);
});

test('who doubts that they are there has them asked at once, and once more where the answer under way may be older', () => {
  const [resting, checking] = [after(up, probe), after(up, probe, probe)];

  expect([resting.asked.at(-1), checking]).toMatchObject([askPools, { value: { up: 'checking' }, asked: [{ type: 'postpone' }] }]);
});

test('they are asked less and less often while they are away, and soon again once a check has found them there', () => {
  const [away, back] = [[down, retry, down, retry, down], [down, retry, down, retry, up]];

  expect([away, [...back, check, down], [...back, check, up, check, down]].map((events) => retriedAfterMs(...events))).toEqual([
    200, 200, FIRST_DELAY_MS,
  ]);
});

test.each([['at first', []], ['later', [up, check]]])('what somebody must mend %s is asked about rarely, at once', (_, before) => {
  expect(retriedAfterMs(...before, { ...down, fatal: true })).toBe(DELAY_MS_MAX);
});
