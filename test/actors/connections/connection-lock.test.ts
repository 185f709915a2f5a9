/** Who is told of the lock, and when it is asked for again. */
import { expect, test } from 'vitest';
import { DELAY_MS_MAX, FIRST_DELAY_MS } from '../../../src/actors/connections/back-off.ts';
import { connectionLock } from '../../../src/actors/connections/connection-lock.ts';
import type { Message } from '../../../src/otp/process.ts';
import { walk } from '../../support/actors/lone-machine.ts';

const after = (...events: readonly Message[]) => walk(connectionLock, { self: 'lock#1' }, ...events);
const acquired = { type: 'lock.acquired' };
const refused = { type: 'lock.refused', error: { code: 'no', message: 'no' }, fatal: false };
const retry = { type: 'timeout.retry' };
const lost = { type: 'lock.lost' };
const lastTimer = ({ asked }: ReturnType<typeof after>) => asked.findLast(({ type }) => type === 'startTimer')?.params;
const retryAfter = (delayMs: number) => ({ name: 'retry', delayMs });
const awaitLock = { type: 'awaitLock', replyTo: 'call#1' };

test('who asks for the lock waits until it is held', () => {
  const [early, late] = [after(awaitLock), after(acquired, awaitLock)];

  expect([early.asked, late.asked]).toMatchObject([
    [{ type: 'postpone' }],
    [{ type: 'reply', params: { to: 'call#1', event: { type: 'lock.isHeld' } } }],
  ]);
});

test('an instance that waits for long says for whom, as far as Postgres tells, and again a minute later', () => {
  const holder = { pid: 7, application: 'armature lock', address: '10.0.0.7' };
  const { asked } = after({ type: 'timeout.awaited' }, { type: 'lock.holderSeen', holder });

  expect(asked).toEqual([
    { type: 'send', params: { to: '@journal', event: { type: 'note', level: 'info', what: 'lock.awaited', holder } } },
    { type: 'startTimer', params: { name: 'awaited', delayMs: 60_000 } },
    { type: 'send', params: { to: '@status-monitor', event: { type: 'lock.awaited' } } },
  ]);
});

test('who has got the lock says no more of who had it', () => {
  const { asked, value } = after({ type: 'timeout.awaited' }, acquired, { type: 'lock.holderSeen', holder: { pid: 7 } });

  expect({ asked, value }).toEqual({ asked: [], value: 'held' });
});

test('who cannot be told who has it asks again soon, and says nothing', () => {
  const { asked } = after({ type: 'timeout.awaited' }, { type: 'lock.holderSeen', holder: null });

  expect(asked).toEqual([{ type: 'startTimer', params: { name: 'awaited', delayMs: 3_000 } }]);
});

test('where nobody answers who has it, it is asked a minute later', () => {
  const { asked, value } = after({ type: 'timeout.awaited' }, { type: 'holder.failed', reason: 'noproc' });

  expect({ asked, value }).toEqual({ asked: [{ type: 'startTimer', params: { name: 'awaited', delayMs: 60_000 } }], value: 'acquiring' });
});

test('a status monitor that starts anew hears of the lock while it is held, and of none that is waited for', () => {
  const report = { type: 'reportCondition' };
  const met = { type: 'send', params: { to: '@status-monitor', event: { type: 'condition.met', condition: 'lock', process: 'lock#1' } } };

  expect([after(acquired, report).asked.at(-1), after(report).asked]).toEqual([met, []]);
});

test.each([
  ['refused', [refused], [{ type: 'lock.refused', process: 'lock#1' }]],
  ['free, or nobody knows whose', [{ type: 'timeout.awaited' }, { type: 'lock.holderSeen', holder: null }], []],
])('of a lock that is %s the status monitor hears that, and not that another has it', (_, events, told) => {
  const heard = after(...events).asked.flatMap(({ params }) => {
    const { to, event } = params as { to?: string; event?: unknown };
    return to === '@status-monitor' ? [event] : [];
  });

  expect(heard).toEqual(told);
});

test('a lock that is lost stops who streams under it, and is asked for soon, whatever failed before it was held for a while', () => {
  const { asked } = after(refused, retry, refused, retry, acquired, { type: 'timeout.proven' }, lost);

  expect(asked.filter(({ params }) => !JSON.stringify(params).includes('@journal'))).toEqual([
    { type: 'cancelTimer', params: { name: 'proven' } },
    { type: 'send', params: { to: '@replication-client', event: { type: 'lock.lost' } } },
    { type: 'send', params: { to: '@connection-pools', event: { type: 'probe' } } },
    { type: 'send', params: { to: '@status-monitor', event: { type: 'condition.lost', condition: 'lock' } } },
    { type: 'send', params: { to: '@status-monitor', event: { type: 'lock.refused', process: 'lock#1' } } },
    { type: 'startTimer', params: { name: 'retry', delayMs: FIRST_DELAY_MS } },
  ]);
});

test('a lock that is lost as soon as it is held is asked for more and more seldom', () => {
  const rounds = [[lost], [lost, retry, acquired, lost], [lost, retry, acquired, lost, retry, acquired, lost]];

  expect(rounds.map((round) => lastTimer(after(acquired, ...round)))).toEqual([50, 100, 200].map(retryAfter));
});

test('a lock whose port has ended is asked for again a while later', () => {
  const { value, asked } = after({ type: 'lock.failed', reason: 'noproc' });

  expect([value, asked.at(-1)?.params]).toEqual(['backingOff', retryAfter(FIRST_DELAY_MS)]);
});

test('what somebody must mend first is asked about rarely, at once', () => {
  expect(lastTimer(after({ ...refused, fatal: true }))).toEqual(retryAfter(DELAY_MS_MAX));
});
