import { expect, test } from 'vitest';
import { Family } from '../../support/otp/family.ts';
import { EchoTable, puppetSpec } from '../../support/otp/puppet.ts';
import { World } from '../../support/otp/world.ts';

test('all that live are told with what costs little to know', async () => {
  const family = await Family.start({ a: {}, b: {} });
  family.world.runtime.suspend('@b');
  family.world.runtime.send('@b', { type: 'sleep' });
  family.world.runtime.drain();

  const told = Array.from(family.world.runtime.processes(), ({ id, parent, machine, name, isSupervisor, mailboxLength }) => {
    return { id, parent, machine, name, isSupervisor, mailboxLength };
  });

  expect(told).toEqual([
    { id: 'sup', parent: undefined, machine: 'supervisor', name: undefined, isSupervisor: true, mailboxLength: 0 },
    { id: 'a', parent: 'sup#1', machine: 'puppet', name: '@a', isSupervisor: false, mailboxLength: 0 },
    { id: 'b', parent: 'sup#1', machine: 'puppet', name: '@b', isSupervisor: false, mailboxLength: 1 },
  ]);
});

test('what waits for a process counts as its memory, and looking wakes nobody', async () => {
  const family = await Family.start({ a: {} });
  const memory = () => family.world.runtime.processInfo('@a')?.memoryBytes ?? 0;
  family.world.runtime.suspend('@a');
  const before = memory();

  for (let count = 0; count < 10; count += 1) family.world.runtime.send('@a', { type: 'sleep' });
  family.world.runtime.drain();

  expect(memory() - before).toBe(1_500);
});

test('so does what its tables say that they hold', async () => {
  const world = new World();
  const full = (): EchoTable => Object.assign(new EchoTable(), { heldBytes: 7_000 });
  const pids = [
    await world.start(puppetSpec(), 'small'),
    await world.start(puppetSpec({ tables: () => ({ echo: new EchoTable(), full: full() }) }), 'large'),
  ];

  const [small = 0, large = 0] = pids.map((pid) => world.runtime.processInfo(pid)?.memoryBytes);

  expect(large - small).toBe(7_000);
});
