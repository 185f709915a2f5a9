import { expect, test } from 'vitest';
import { supervisor } from '../../../src/otp/supervision/supervisor.ts';
import type { LifecycleRecord } from '../../../src/otp/kernel/trace.ts';
import { puppetSpec } from '../../support/otp/puppet.ts';
import { World } from '../../support/otp/world.ts';

async function listened() {
  const world = new World();
  const records: LifecycleRecord[] = [];
  const stop = world.runtime.lifecycle((record) => records.push(record));
  await world.start(supervisor({ strategy: 'one_for_one', children: [{ id: 'a', start: () => puppetSpec({ name: '@a' }) }] }), 'sup');
  return { world, records, stop };
}

test('who listens to lifecycles hears of starts, ends and restarts, and of no message', async () => {
  const { world, records } = await listened();

  world.send('@a', { type: 'sleep' });
  world.runtime.exit('@a', 'kill');
  world.runtime.drain();

  expect(records).toEqual([
    { type: 'spawn', process: 'sup#1', parent: 'outside' },
    { type: 'spawn', process: 'sup/a#2', parent: 'sup#1', name: '@a' },
    { type: 'exit', process: 'sup/a#2', reason: 'killed' },
    { type: 'spawn', process: 'sup/a#3', parent: 'sup#1', name: '@a' },
    { type: 'restart', supervisor: 'sup#1', id: 'a', process: 'sup/a#3' },
  ]);
});

test('a trace hears of the same records whether somebody listens to them alone or not', async () => {
  const { world, records } = await listened();
  const before = records.length;
  const traced: string[] = [];
  world.runtime.trace(({ type }) => traced.push(type));

  world.runtime.exit('@a', 'kill');
  world.runtime.drain();

  const isLifecycle = (type: string): boolean => ['spawn', 'exit', 'restart'].includes(type);
  expect(traced.filter(isLifecycle)).toEqual(records.slice(before).map(({ type }) => type));
});

test('who stops listening hears nothing more', async () => {
  const { world, records, stop } = await listened();
  const before = records.length;

  stop();
  world.runtime.exit('@a', 'kill');
  world.runtime.drain();

  expect(records.length).toBe(before);
});

test('who listens twice is told twice, and stops once', async () => {
  const world = new World();
  const told: string[] = [];
  const listener = ({ type }: LifecycleRecord) => void told.push(type);
  const [stop] = [world.runtime.lifecycle(listener), world.runtime.lifecycle(listener)];
  await world.puppet('a');
  stop();
  await world.puppet('b');

  expect(told).toEqual(['spawn', 'spawn', 'spawn']);
});
