/** A request that comes a little early waits, and leaves nothing behind. */
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { DRAINING } from '../../src/api/draining.ts';
import { systemClock } from '../../src/base/clock.ts';
import { pause } from '../../src/base/pause.ts';
import { createWorld } from '../support/http/api-world.ts';

test.each([
  ['has become ready', true],
  ['has been waited for in vain', false],
])('a signal keeps nothing of a wait for a service that %s', async (_, isReady) => {
  const { api, clock, status } = createWorld();
  status.set('starting');
  const leaving = new AbortController();
  const permit = { promote() {}, release() {} };
  const parameters = { table: 'items', offset: '-1' };
  const reading = api.readShape({ parameters, ifNoneMatch: undefined, permit, signal: leaving.signal });

  if (isReady) status.set('active');
  else clock.advance(5_000);
  await reading;
  await pause(systemClock, 0); // Whoever else listened has gone by then.

  expect(getEventListeners(leaving.signal, 'abort')).toEqual([]);
});

test('who waits when the server closes is told so at once', async () => {
  const { api, status } = createWorld();
  status.set('starting');
  const leaving = new AbortController();
  const permit = { promote() {}, release() {} };
  const reading = api.readShape({ parameters: { table: 'items', offset: '-1' }, ifNoneMatch: undefined, permit, signal: leaving.signal });

  leaving.abort(DRAINING);

  expect(await reading).toMatchObject({ kind: 'refusal', status: 503, retryAfterSeconds: 1 });
});
