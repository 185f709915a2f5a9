import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { effects } from '../../../../src/otp/effects.ts';
import type { PortSpec } from '../../../../src/otp/process.ts';
import { via } from '../../../../src/otp/kernel/registry.ts';
import { World } from '../../../support/otp/world.ts';
import { nobody, strangers } from '../support/strangers.ts';
import { call, listen, monitor, register, send, unregister } from '../support/told.ts';

const key = via('shapes', { table: 'issues', where: 'id = 1' });

test('S4-026 a process started via a key is found by it in calls, sends and look-ups; a second start is refused with its pid', async () => {
  const world = new World();
  const server = await world.puppet('server', { name: key });
  const caller = await world.puppet('caller');

  const second = await world.puppet('second', { name: key }).catch((error: unknown) => error);
  world.tell(caller, call(key, 'seen.called'), send(key, 'seen.sent'));

  expect({ second, whereis: world.runtime.whereis(key), seen: world.seen(server).map(({ type }) => type) }).toMatchObject({
    second: { reason: { error: { name: 'already_started', message: `${key} is ${server}` } } },
    whereis: server,
    seen: ['seen.called', 'seen.sent'],
  });
});

test('S4-027 a key carries a value that a look-up need not know', async () => {
  const { world, a } = await strangers();

  world.tell(a, register(key, { value: 'a value' }));

  expect([world.runtime.whereis(key), world.runtime.lookup(key)?.value]).toEqual([a, 'a value']);
});

test('S4-028 at an unknown key nobody is found: a call and a monitor say noproc, a send vanishes', async () => {
  const { world, a } = await strangers();

  world.tell(a, send(key, 'seen.sent'), call(key, 'seen.request'), monitor(via('shapes', 'other'), 'seen.other'));
  const outside = world.runtime.call(key, { type: 'request' }).catch((error: unknown) => error);
  world.runtime.drain();

  expect({ whereis: world.runtime.whereis(key), seen: world.seen(a), outside: await outside }).toMatchObject({
    whereis: undefined,
    seen: [{ type: 'seen.call.failed', to: key, request: 'seen.request', reason: 'noproc' }, { type: 'seen.other.down', reason: 'noproc' }],
    outside: { name: 'CallError', reason: 'noproc' },
  });
});

const failing: PortSpec = {
  name: key,
  open: () => {
    throw new Error('cannot open');
  },
};
const ignoring = { name: key, machine: setup({}).createMachine({ initial: 'over', states: { over: { type: 'final', tags: 'ignore' } } }) };

test.each([['failing', failing], ['ignoring', ignoring]])('S4-029 a %s start via a key leaves no entry', async (_, spec) => {
  const world = new World();

  const outcome = await world.start(spec, 'server').then(() => 'started', () => 'not started');

  expect({ outcome, entries: world.runtime.registered('shapes') }).toEqual({ outcome: 'not started', entries: [] });
});

test('S4-030 a listener is told of what is registered with its value, by a start too, and of what is given back', async () => {
  const { world, a, b } = await strangers();
  world.tell(b, listen('shapes'));

  world.tell(a, register(key, { value: 1 }), register(via('elsewhere', 1)), unregister(key));
  const started = await world.puppet('started', { name: key });

  expect(world.seen(b)).toEqual([
    { type: 'seen.registered', name: key, process: a, value: 1 },
    { type: 'seen.unregistered', name: key, process: a },
    { type: 'seen.registered', name: key, process: started, value: undefined },
  ]);
});

test('S4-031 a listener hears nothing of a registration that was refused, nor of a key that was not given back', async () => {
  const { world, a, b, c } = await strangers();
  world.tell(a, register(key));
  world.tell(b, listen('shapes'));

  world.tell(c, register(key), unregister(key), unregister(via('shapes', 'never')));

  expect(world.seen(b)).toEqual([]);
});

test('S4-032 a listener is not told of a death: for that it monitors', async () => {
  const watching = setup({
    types: { events: {} as { type: 'listen' | 'shape.registered' | 'shape.unregistered' | 'shape.down' } },
    actions: { ...effects },
  }).createMachine({
    on: {
      listen: { actions: { type: 'listen', params: { registry: 'shapes', as: 'shape' } } },
      'shape.registered': { actions: { type: 'monitor', params: { process: key, as: 'shape' } } },
      'shape.unregistered': { actions: { type: 'stop', params: { reason: { shutdown: 'told as given back' } } } },
      'shape.down': { actions: { type: 'stop', params: { reason: { shutdown: 'told as down' } } } },
    },
  });
  const { world, a } = await strangers();
  const watcher = await world.start({ machine: watching }, 'watcher');
  world.send(watcher, { type: 'listen' });
  world.tell(a, register(key));

  world.exit(a, 'kill');

  expect(world.reasonOf(watcher)).toEqual({ shutdown: 'told as down' });
});

test('S4-033 a listener that has ended is no trouble to who registers', async () => {
  const { world, a, b, c } = await strangers();
  world.tell(b, listen('shapes'));
  world.tell(c, listen('shapes'));
  world.exit(b, 'kill');

  world.tell(a, register(key), unregister(key), send(nobody, 'seen.late'));

  expect({ a: world.seen(a), c: world.seen(c).map(({ type }) => type) }).toEqual({
    a: [{ type: 'seen.registered', name: key }],
    c: ['seen.registered', 'seen.unregistered'],
  });
});
