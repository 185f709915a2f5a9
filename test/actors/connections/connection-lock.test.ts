/** Who is told of the lock, and when it is asked for again. */
import { expect, test } from 'vitest';
import { FIRST_DELAY_MS } from '../../../src/actors/connections/back-off.ts';
import { connectionLock } from '../../../src/actors/connections/connection-lock.ts';
import type { Message } from '../../../src/otp/process.ts';
import { walk } from '../../support/actors/lone-machine.ts';

const after = (...events: readonly Message[]) => walk(connectionLock, { self: 'lock#1' }, ...events);
const acquired = { type: 'lock.acquired' };
const refused = { type: 'lock.refused', error: { code: 'no', message: 'no' } };
const retry = { type: 'timeout.retry' };
const awaitLock = { type: 'awaitLock', replyTo: 'call#1' };

test('who asks for the lock waits until it is held', () => {
  const [early, late] = [after(awaitLock), after(acquired, awaitLock)];

  expect([early.asked, late.asked]).toMatchObject([
    [{ type: 'postpone' }],
    [{ type: 'reply', params: { to: 'call#1', event: { type: 'lock.isHeld' } } }],
  ]);
});

test('a lock that is lost stops who streams under it, and is asked for soon, whatever failed before it was held', () => {
  const { asked } = after(refused, retry, refused, retry, acquired, { type: 'lock.lost' });

  expect(asked.filter(({ params }) => !JSON.stringify(params).includes('@journal'))).toEqual([
    { type: 'send', params: { to: '@replication-client', event: { type: 'lock.lost' } } },
    { type: 'send', params: { to: '@connection-pools', event: { type: 'probe' } } },
    { type: 'send', params: { to: '@status-monitor', event: { type: 'condition.lost', condition: 'lock' } } },
    { type: 'startTimer', params: { name: 'retry', delayMs: FIRST_DELAY_MS } },
  ]);
});
