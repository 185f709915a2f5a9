import { expect, test } from 'vitest';
import type { ProcessEnd } from '../../../../src/otp/kernel/process-summary.ts';
import { SupervisionTable } from '../../../../src/otp/supervision/supervision-table.ts';
import { Family } from '../../../support/otp/family.ts';

const LIMITS = { maxRestarts: 3, maxSeconds: 5 };

async function watched(spec: Parameters<typeof Family.start>[1] = {}) {
  const family = await Family.start({ a: {}, b: { restart: 'temporary' }, c: {} }, { strategy: 'rest_for_one', ...LIMITS, ...spec });
  const ends: ProcessEnd[] = [];
  const stop = family.world.runtime.ends((end) => ends.push(end));
  return { family, ends, stop };
}

function told({ process: { pid, state }, reason, event, fate }: ProcessEnd) {
  return { pid, state, reason: typeof reason === 'string' ? reason : Object.keys(reason)[0], event: event?.type, fate };
}

test('clause 43: an end is told with the state that it was in, what it was handling, and what its supervisor makes of it', async () => {
  const { family, ends } = await watched();

  family.world.runtime.exit('@b', 'kill');
  family.world.runtime.drain();
  family.crash('a');
  family.world.runtime.drain();

  expect(ends.map(told)).toEqual([
    { pid: 'sup/b#3', state: 'awake', reason: 'killed', event: undefined, fate: 'left' },
    { pid: 'sup/a#2', state: 'awake', reason: 'error', event: 'fail', fate: 'restarted' },
    { pid: 'sup/c#4', state: 'awake', reason: 'shutdown', event: undefined, fate: 'told' },
  ]);
});

test('whoever hears of an end sees the process as it was, and nobody else has heard', async () => {
  const { family } = await watched();
  const seen: unknown[] = [];
  family.world.runtime.ends(({ process: { pid } }) => seen.push(family.world.runtime.processInfo(pid)?.name));

  family.world.runtime.exit('@c', 'kill');
  family.world.runtime.drain();

  expect(seen).toEqual(['@c']);
});

test('a supervisor tells those who look on how much of its intensity is used', async () => {
  const { family } = await watched();
  const standing = () => {
    const table = family.world.runtime.tableOf(family.pid, 'children');
    return table instanceof SupervisionTable ? table.standing(family.world.clock.nowMs()) : undefined;
  };
  const before = standing();

  family.crash('c');
  family.world.runtime.drain();

  expect([before, standing()]).toEqual([
    { strategy: 'rest_for_one', ...LIMITS, used: 0 },
    { strategy: 'rest_for_one', ...LIMITS, used: 1 },
  ]);
});

test('who stops listening hears of no more ends', async () => {
  const { family, ends, stop } = await watched();

  stop();
  family.crash('a');
  family.world.runtime.drain();

  expect(ends).toEqual([]);
});
