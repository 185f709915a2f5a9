import { assign, setup } from 'xstate';
import { expect, test } from 'vitest';
import { effects } from '../../../../src/otp/effects.ts';
import type { MachineSpec, Pid } from '../../../../src/otp/process.ts';
import type { Told } from '../../../support/otp/puppet.ts';
import { World } from '../../../support/otp/world.ts';
import { serverSpec } from '../support/server.ts';

/** Counts what it is cast, is called or hears; any of the three may set a time-out or end it. */
const counter = setup({
  types: { context: {} as { casts: number }, events: {} as { type: 'count' | 'countAndWait' | 'timeout.idle' } | { type: 'end' } },
  actions: { ...effects, count: assign({ casts: ({ context }) => context.casts + 1 }) },
}).createMachine({
  id: 'counter',
  context: { casts: 0 },
  on: {
    count: { actions: 'count' },
    countAndWait: { actions: ['count', { type: 'startTimer', params: { name: 'idle', delayMs: 50 } }] },
    'timeout.idle': { actions: 'count' },
    end: { actions: { type: 'stop', params: { reason: { shutdown: 'told to' } } } },
  },
});

const counterSpec: MachineSpec = { machine: counter };
const casts = (world: World, pid: Pid): unknown => world.runtime.refOf(pid)?.getSnapshot().context.casts;
const send = (to: Pid | `@${string}`, type: string): Told => ({ type: 'send', params: { to, event: { type } } });

test('S2-027 a cast always succeeds at once: to an unknown name, to the dead, to a pid that never was', async () => {
  const world = new World();
  const [caller, dead] = [await world.puppet('caller'), await world.start(counterSpec, 'dead')];
  world.send(dead, { type: 'end' });

  world.tell(caller, send('@nobody', 'count'), send(dead, 'count'), send('ghost#99' as Pid, 'count'), send(caller, 'seen.done'));

  expect(world.seen(caller)).toEqual([{ type: 'seen.done' }]);
});

test.each([
  ['changes the state and says nothing', 'count', { casts: 1, after: 1, reason: undefined }],
  ['sets a time-out', 'countAndWait', { casts: 1, after: 2, reason: undefined }],
  ['ends the server', 'end', { casts: undefined, after: undefined, reason: { shutdown: 'told to' } }],
])('S2-028 a cast or a plain message is handled like a call: it %s', async (_, type, expected) => {
  const world = new World();
  const server = await world.start(counterSpec, 'server');

  world.tell(await world.puppet('caller'), send(server, type));
  const before = casts(world, server);
  world.advance(50);

  expect({ casts: before, after: casts(world, server), reason: world.reasonOf(server) }).toEqual(expected);
});

test('S2-029 a message that no state handles ends the server, where OTP logs it and drops it', async () => {
  const world = new World();
  const server = await world.start(counterSpec, 'server');

  world.send(server, { type: 'stray' });

  expect(world.reasonOf(server)).toMatchObject({
    error: { name: 'UnhandledEventError', message: "machine 'counter' in state '{}' has no transition for event 'stray'" },
  });
});

test('S2-030 a call that no state handles ends the server, and its caller hears why', async () => {
  const world = new World();
  const [caller, server] = [await world.puppet('caller'), await world.start(counterSpec, 'server')];

  world.tell(caller, { type: 'call', params: { to: server, request: { type: 'unknown' }, as: 'seen.call' } });

  expect(world.seen(caller)).toMatchObject([
    { type: 'seen.call.failed', request: 'unknown', reason: { error: { name: 'UnhandledEventError' } } },
  ]);
});

test('S2-030 a server needs to say nothing about its end to be ended', async () => {
  const world = new World();
  const server = await world.start(counterSpec, 'server');

  world.exit(server, 'shutdown');

  expect(world.reasonOf(server)).toBe('shutdown');
});

test('S2-032 one message to each of many leaves at once, whoever of them lives', async () => {
  const world = new World();
  const servers = await Promise.all(['a', 'b', 'c'].map((id) => world.start(counterSpec, id)));
  const [caller, dead] = [await world.puppet('caller'), await world.start(serverSpec(), 'dead')];
  world.exit(dead, 'kill');

  world.tell(
    caller,
    { type: 'sendToEach', params: { to: ['@nobody', ...servers, dead], event: { type: 'count' } } },
    send(caller, 'seen.done'),
  );

  expect({ seen: world.seen(caller), casts: servers.map((pid) => casts(world, pid)) }).toEqual({
    seen: [{ type: 'seen.done' }],
    casts: [1, 1, 1],
  });
});
