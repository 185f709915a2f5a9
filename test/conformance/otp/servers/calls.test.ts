import { setup } from 'xstate';
import { expect, test } from 'vitest';
import { effects, type EffectParams } from '../../../../src/otp/effects.ts';
import type { Address, ExitReason, MachineSpec, Message, Pid } from '../../../../src/otp/process.ts';
import type { Told } from '../../../support/otp/puppet.ts';
import { World } from '../../../support/otp/world.ts';
import { serverSpec } from '../support/server.ts';

const MINUTE_MS = 60_000;

async function callerAndServer() {
  const world = new World();
  return { world, caller: await world.puppet('caller'), server: await world.start(serverSpec({ name: '@server' }), 'server') };
}

type CallParams = EffectParams['call'];

/** Asks once at its start and at each `again`; keeps noise back for a state that never comes, and expects no failure. */
function callerSpec(params: CallParams): MachineSpec {
  const machine = setup({ actions: { ...effects } }).createMachine({
    id: 'caller',
    initial: 'waiting',
    states: {
      waiting: {
        entry: { type: 'call', params },
        on: {
          again: { target: 'waiting', reenter: true },
          noise: { actions: 'postpone' },
          'seen.*': { actions: [] },
        },
      },
    },
  });
  return { machine };
}

const call = (to: Address, request: Message, more: { as?: string; timeoutMs?: number } = {}): Told => ({
  type: 'call',
  params: { to, request, as: 'seen.call', ...more },
});
const add = (to: Address, by: number): Told => call(to, { type: 'add', by });
const leave = (reason: ExitReason): Message => ({ type: 'leave', reason });
const failed = (to: Address, request: string, reason: unknown) => ({ type: 'seen.call.failed', to, request, reason });

test('S2-012 a call brings the value, and the calls of one caller are handled in the order of sending', async () => {
  const { world, caller, server } = await callerAndServer();

  world.tell(caller, add(server, 1), add('@server', 10), add(server, 100));

  expect(world.seen(caller)).toEqual([1, 11, 111].map((total) => ({ type: 'seen.total', total })));
});

test('S2-013 a server may reply later, and to several callers at once', async () => {
  const { world, caller, server } = await callerAndServer();
  const other = await world.puppet('other');

  world.tell(caller, call(server, { type: 'hold' }));
  world.tell(other, call(server, { type: 'hold' }));
  const before = [...world.seen(caller), ...world.seen(other)];
  world.send(server, { type: 'release' });

  expect({ before, caller: world.seen(caller), other: world.seen(other) }).toEqual({
    before: [],
    caller: [{ type: 'seen.released' }],
    other: [{ type: 'seen.released' }],
  });
});

test('S2-013 S2-022 another process may reply: the address of the answer travels inside any message', async () => {
  const { world, caller, server } = await callerAndServer();
  const deputy = await world.start(serverSpec(), 'deputy');

  world.tell(caller, call(server, { type: 'pass', to: deputy }));

  expect(world.seen(caller)).toEqual([{ type: 'seen.answered', by: deputy, note: 'passed on' }]);
});

test('S2-013 a server that replies and ends in one transition: the caller gets the value, then the server is gone', async () => {
  const { world, caller, server } = await callerAndServer();

  world.tell(caller, call(server, { type: 'quit', reason: { shutdown: 'closing time' } }));

  expect({ seen: world.seen(caller), reason: world.reasonOf(server) }).toEqual({
    seen: [{ type: 'seen.bye' }],
    reason: { shutdown: 'closing time' },
  });
});

test('S2-013 a server that ends without a reply: the caller gets its reason', async () => {
  const { world, caller, server } = await callerAndServer();

  world.tell(caller, call(server, leave({ shutdown: 'closing time' })));

  expect(world.seen(caller)).toEqual([failed(server, 'leave', { shutdown: 'closing time' })]);
});

test('S2-014 a call has no limit unless it says one, where OTP says five seconds: the death of the server ends it anyway', async () => {
  const { world, caller, server } = await callerAndServer();

  world.tell(caller, call(server, { type: 'hold' }));
  world.advance(60 * MINUTE_MS);
  const before = world.seen(caller);
  world.send(server, { type: 'release' });

  expect({ before, after: world.seen(caller) }).toEqual({ before: [], after: [{ type: 'seen.released' }] });
});

test('S2-015 S2-024 a time-out is told to the caller, the server goes on, and the late reply never arrives', async () => {
  const { world, caller, server } = await callerAndServer();

  world.tell(caller, call(server, { type: 'hold' }, { timeoutMs: 100 }));
  world.advance(100);
  world.send(server, { type: 'release' });
  world.tell(caller, add(server, 7));

  expect(world.seen(caller)).toEqual([failed(server, 'hold', 'timeout'), { type: 'seen.total', total: 7 }]);
});

test('S2-015 a caller that has no transition for the failure ends with it, as every caller that catches nothing does in OTP', async () => {
  const { world, server } = await callerAndServer();
  const hasty = await world.start(callerSpec({ to: server, request: { type: 'hold' }, as: 'answer', timeoutMs: 100 }), 'hasty');

  world.advance(100);

  expect({ server: world.isAlive(server), hasty: world.reasonOf(hasty) }).toMatchObject({
    server: true,
    hasty: {
      error: { name: 'UnhandledEventError', message: "machine 'caller' in state 'waiting' has no transition for event 'answer.failed'" },
    },
  });
});

test('S2-016 S2-026 a call to who is unknown or dead fails at once with noproc', async () => {
  const { world, caller, server } = await callerAndServer();
  world.exit(server, 'shutdown');

  world.tell(caller, add('@nobody', 1), add(server, 1), add('@server', 1), add('ghost#99' as Pid, 1));

  expect(world.seen(caller)).toEqual([
    failed('@nobody', 'add', 'noproc'),
    failed(server, 'add', 'noproc'),
    failed('@server', 'add', 'noproc'),
    failed('ghost#99' as Pid, 'add', 'noproc'),
  ]);
});

test.each([
  ['by pid', (self: Pid): Told => add(self, 1)],
  ['by name', (): Told => add('@myself', 1)],
  ['with a limit', (self: Pid): Told => call(self, { type: 'add', by: 1 }, { timeoutMs: 10 })],
])('S2-017 a process that calls itself ends at once: %s', async (_, toSelf) => {
  const world = new World();
  const caller = await world.puppet('caller', { name: '@myself' });

  world.tell(caller, toSelf(caller));

  expect(world.reasonOf(caller)).toMatchObject({
    error: { name: 'InvariantError', message: expect.stringContaining('does not call itself') },
  });
});

test.each<[string, ExitReason]>([
  ['normal', 'normal'],
  ['shutdown', 'shutdown'],
  ['a shutdown with a cause', { shutdown: { moved: 'elsewhere' } }],
])('S2-018 a server that ends during the call: the caller gets %s', async (_, reason) => {
  const { world, caller, server } = await callerAndServer();

  world.tell(caller, call(server, { type: 'hold' }));
  world.send(server, leave(reason));

  expect(world.seen(caller)).toEqual([failed(server, 'hold', reason)]);
});

test('S2-018 a server that crashes during the call: the caller gets the error', async () => {
  const { world, caller, server } = await callerAndServer();

  world.tell(caller, call(server, { type: 'hold' }));
  world.send(server, { type: 'fail' });

  expect(world.seen(caller)).toMatchObject([failed(server, 'hold', { error: { name: 'Error', message: 'server failed' } })]);
});

test('S2-019 a server that ends with what is no exit reason ends with that claim, and its caller hears it', async () => {
  const { world, caller, server } = await callerAndServer();

  world.tell(caller, call(server, { type: 'leave', reason: 'because' }));

  const reason = { error: { name: 'InvalidExitReasonError', message: `machine 'server' ended with "because", which is no exit reason` } };
  expect({ seen: world.seen(caller), reason: world.reasonOf(server) }).toMatchObject({ seen: [failed(server, 'leave', reason)], reason });
});

test('S2-021 a call costs a caller as many deliveries with ten thousand messages kept back as with none', async () => {
  const { world, server } = await callerAndServer();
  const deliveries = async (id: string, kept: number) => {
    const pid = await world.start(callerSpec({ to: server, request: { type: 'add', by: 1 } }), id);
    for (let count = 0; count < kept; count += 1) world.runtime.send(pid, { type: 'noise' });
    world.runtime.drain();
    world.runtime.send(pid, { type: 'again' });
    return { steps: world.runtime.drain(), kept: world.runtime.processInfo(pid)?.mailboxLength };
  };

  const [light, heavy] = [await deliveries('light', 0), await deliveries('heavy', 10_000)];

  expect({ light, heavy }).toEqual({ light: { steps: 3, kept: 0 }, heavy: { steps: 3, kept: 10_000 } });
});

test('S2-023 a request does not hold its caller up: other messages come in between and are no answer', async () => {
  const { world, caller, server } = await callerAndServer();

  world.tell(caller, call(server, { type: 'hold' }));
  world.send(caller, { type: 'seen.unrelated' });
  world.send(server, { type: 'release' });

  expect(world.seen(caller)).toEqual([{ type: 'seen.unrelated' }, { type: 'seen.released' }]);
});

test('S2-023 S2-024 a timer beside a call without limit is a wait that gives nothing up', async () => {
  const { world, caller, server } = await callerAndServer();
  const wait: Told = { type: 'startTimer', params: { name: 'patience', delayMs: 100 } };

  world.tell(caller, call(server, { type: 'hold' }), wait);
  world.advance(100);
  world.tell(caller, wait);
  world.advance(50);
  world.send(server, { type: 'release' });

  expect(world.seen(caller)).toEqual([{ type: 'timeout.patience' }, { type: 'seen.released' }]);
});
