/** What only the scheduler of production has: one queue for all signals, a kill that waits in none, and a loop of its own. */
import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { nextTurn } from '../../../src/base/turn.ts';
import { effects } from '../../../src/otp/effects.ts';
import { ProcessKernel } from '../../../src/otp/kernel/kernel.ts';
import { productionScheduler } from '../../../src/otp/schedulers/production-scheduler.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { puppetSpec, type Told } from '../../support/otp/puppet.ts';
import { World } from '../../support/otp/world.ts';

const hibernate: Told = { type: 'hibernate', params: undefined };

test('kill waits behind nothing, and is there once', async () => {
  const world = new World(productionScheduler());
  const delivered: string[] = [];
  const pid = await world.puppet('p');
  world.runtime.trace((record) => record.type === 'deliver' && delivered.push(record.message.type));
  for (const type of ['seen.1', 'seen.2']) world.runtime.send(pid, { type });
  world.runtime.exit(pid, 'kill');

  expect({ steps: world.runtime.drain(), delivered, reason: world.reasonOf(pid) }).toEqual({ steps: 2, delivered: [], reason: 'killed' });
});

test('one that is about to be killed does not hibernate instead', async () => {
  const world = new World(productionScheduler());
  const pid = await world.puppet('p');
  world.tell(pid, { type: 'exit', params: { process: pid, reason: 'kill' } }, hibernate);

  expect(world.reasonOf(pid)).toBe('killed');
});

test('one that hibernates is not looked into again', () => {
  const scheduler = productionScheduler();
  const kernel = new ProcessKernel(new ManualClock(), scheduler);
  const machine = setup({ actions: { ...effects } }).createMachine({ entry: { type: 'hibernate' } });
  const entry = kernel.spawn({ machine }, { id: 'p', parent: kernel.outside });
  while (scheduler.step());

  expect({ hibernates: entry.hibernates, isAwake: entry.isAwake }).toEqual({ hibernates: true, isAwake: false });
});

test('the loop is asked for once, however many are ready', async () => {
  const world = new World(productionScheduler());
  const due = () => process.getActiveResourcesInfo().filter((what) => what === 'Immediate').length;
  await world.settle();
  const before = due();
  const starting = ['a', 'b', 'c'].map((id) => world.runtime.start(puppetSpec(), { id }));
  const asked = due() - before;
  world.runtime.drain();
  await Promise.all(starting);

  expect(asked).toBe(1);
});

test('behind each long delivery the thread is given back, to another runtime for instance', async () => {
  const order: string[] = [];
  const worlds = ['first', 'second'].map((name) => {
    const world = new World(productionScheduler());
    world.runtime.trace((record) => {
      if (record.type !== 'deliver' || record.message.type !== 'seen.slow') return;
      order.push(name);
      world.clock.advance(10);
    });
    return world;
  });
  const pids = await Promise.all(worlds.map((world) => Promise.all(['a', 'b', 'c'].map((id) => world.puppet(id)))));
  worlds.forEach(({ runtime }, index) => pids[index]?.forEach((pid) => runtime.send(pid, { type: 'seen.slow' })));

  await expect.poll(() => order.join()).toBe('first,second,first,second,first,second');
});

test('what a delivery has brought by promises comes before the next delivery where it gives way, and only there', async () => {
  const told = async (givesWay: boolean) => {
    const world = new World(productionScheduler());
    const pid = await world.puppet('p');
    const order: string[] = [];
    const woken = async (): Promise<void> => {
      for (let hops = 0; hops < 5; hops += 1) await Promise.resolve();
      order.push('woken');
    };
    world.runtime.trace((record) => {
      if (record.type !== 'deliver') return;
      order.push(record.message.type);
      if (record.message.type === 'seen.third') return;
      void woken();
      if (givesWay && record.message.type === 'seen.first') world.runtime.giveWay();
    });
    for (const type of ['seen.first', 'seen.second', 'seen.third']) world.runtime.send(pid, { type });
    await expect.poll(() => order.length).toBe(5);
    return order;
  };

  expect([await told(true), await told(false)]).toEqual([
    ['seen.first', 'woken', 'seen.second', 'seen.third', 'woken'],
    ['seen.first', 'seen.second', 'seen.third', 'woken', 'woken'],
  ]);
});

test('deliveries that all give way have no more than their time before the thread is given back', async () => {
  const world = new World(productionScheduler());
  const pid = await world.puppet('p');
  const order: string[] = [];
  world.runtime.trace((record) => {
    if (record.type !== 'deliver') return;
    order.push(record.message.type);
    world.clock.advance(0.4);
    world.runtime.giveWay();
  });
  for (const number of [1, 2, 3, 4, 5]) world.runtime.send(pid, { type: `seen.${number}` });
  nextTurn(() => order.push('turn')); // Behind the loop, which was asked for by the first of them.

  await expect.poll(() => order.length).toBe(6);
  expect(order).toEqual(['seen.1', 'seen.2', 'seen.3', 'turn', 'seen.4', 'seen.5']);
});
