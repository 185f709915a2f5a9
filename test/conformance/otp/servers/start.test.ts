import { expect, test } from 'vitest';
import type { ExitReason, Message, Name, Pid } from '../../../../src/otp/process.ts';
import { isFault } from '../../../../src/otp/process.ts';
import { via } from '../../../../src/otp/kernel/registry.ts';
import { supervisor } from '../../../../src/otp/supervision/supervisor.ts';
import type { Told } from '../../../support/otp/puppet.ts';
import { World } from '../../../support/otp/world.ts';
import { starts, startSpec, type StartName } from '../support/starts.ts';

type StartParams = Extract<Told, { type: 'start' }>['params'];

const start = (template: StartName, args: Omit<Message, 'type'> = {}, more: Partial<StartParams> = {}): Told => ({
  type: 'start',
  params: { template, as: 'seen.child', args: { ...args, type: template }, ...more },
});
const failed = (id: string, reason: unknown) => ({ type: 'seen.child.failed', id, reason });
const KINDS: readonly (readonly [string, Partial<StartParams>])[] = [
  ['alone', {}],
  ['linked', { link: true }],
  ['monitored', { monitor: true }],
];

async function starter({ trapExit = true } = {}) {
  const world = new World();
  return { world, caller: await world.puppet('caller', { spawns: starts, trapExit }) };
}

function tiesOf(world: World, caller: Pid) {
  const info = world.runtime.processInfo(caller);
  return { links: info?.links.filter((pid) => pid !== 'outside'), monitors: info?.monitors };
}

test.each(KINDS)('S2-001 a start, %s, is told when the process is up, and its link or monitor is there then', async (_, how) => {
  const { world, caller } = await starter();

  world.tell(caller, start('slow', {}, how));
  const before = { seen: world.seen(caller), ...tiesOf(world, caller) };
  const child = world.runtime.tree()[0]?.children[0]?.pid ?? caller;
  world.send(child, { type: 'connected' });

  expect({ before, after: { seen: world.seen(caller), ...tiesOf(world, caller) } }).toEqual({
    before: { seen: [], links: [], monitors: [] },
    after: {
      seen: [{ type: 'seen.child.started', process: child, id: 'slow' }],
      links: how.link === true ? [child] : [],
      monitors: how.monitor === true ? [child] : [],
    },
  });
});

test.each(KINDS.flatMap(([kind, how]) => [['@seat', kind, how] as const, [via('seats', { row: 7 }), kind, how] as const]))(
  'S2-002 a start fails when its name is taken, and nothing else happens: %s, %s',
  async (name, _, how) => {
    const { world, caller } = await starter();
    const running = await world.start(startSpec('up', { name }), 'running');

    world.tell(caller, start('up', { name }, how));

    expect({ seen: world.seen(caller), holder: world.runtime.whereis(name), ...tiesOf(world, caller) }).toMatchObject({
      seen: [failed('up', { error: { name: 'already_started', message: `${name} is ${running}` } })],
      holder: running,
      links: [],
      monitors: [],
    });
  },
);

test('S2-003 a process that finds nothing to do is ignored, and has ended as normal', async () => {
  const { world, caller } = await starter();

  world.tell(caller, start('ignoring', {}, { link: true, monitor: true }));
  const outside = await world.start(startSpec('ignoring'), 'other').catch((error: unknown) => error);

  expect({ seen: world.seen(caller), outside, reasons: world.exits.map(({ reason }) => reason) }).toMatchObject({
    seen: [failed('ignoring', 'ignore')],
    outside: { name: 'StartError', reason: 'ignore' },
    reasons: ['normal', 'normal'],
  });
});

test.each<[string, StartName, ExitReason, boolean]>([
  ['an error', 'refusing', { error: { name: 'NoDisk', message: 'no disk' } }, true],
  ['a refusal, which is no fault', 'refusing', { shutdown: 'no licence' }, false],
  ['a refusal by the effect', 'stopping', { shutdown: 'no licence' }, false],
])('S2-004 a process says why it cannot begin: %s', async (_, template, reason, fault) => {
  const { world, caller } = await starter();

  world.tell(caller, start(template, { reason }, { link: true }));

  expect({ seen: world.seen(caller), faults: world.exits.map((exit) => isFault(exit.reason)) }).toEqual({
    seen: [failed(template, reason)],
    faults: [fault],
  });
});

test('S2-005 a start whose outcome is no reason that there is fails with that claim', async () => {
  const { world, caller } = await starter();

  world.tell(caller, start('refusing', { reason: 42 }));

  expect(world.seen(caller)).toMatchObject([
    failed('refusing', { error: { name: 'InvalidExitReasonError', message: expect.stringContaining('42') } }),
  ]);
});

test('S2-006 a process that raises when it begins fails with the error, one that ends by a reason fails with the reason', async () => {
  const { world, caller } = await starter();

  world.tell(caller, start('raising'), start('stopping', { reason: 'shutdown' }));

  expect(world.seen(caller)).toMatchObject([
    failed('raising', { error: { name: 'Error', message: 'cannot begin' } }),
    failed('stopping', 'shutdown'),
  ]);
});

test('S2-007 a start that takes longer than its time fails, and the process is gone: its machine has a timer for that', async () => {
  const { world, caller } = await starter();

  world.tell(caller, start('slow'));
  world.advance(1_000);

  expect({ seen: world.seen(caller), children: world.runtime.tree()[0]?.children }).toMatchObject({
    seen: [failed('slow', { error: { name: 'StartTimeout' } })],
    children: [],
  });
});

test("S2-007 or the limit is its starter's: the process is killed, and gone when its starter is told", async () => {
  const { world, caller } = await starter();

  world.tell(caller, start('slow', { name: '@seat' }, { timeoutMs: 500, link: true, monitor: true }));
  const outside = world.runtime.start(startSpec('slow'), { id: 'root', timeoutMs: 500 }).catch((error: unknown) => error);
  world.advance(500);

  expect({
    seen: world.seen(caller),
    outside: await outside,
    tree: world.runtime.printTree().split('\n').length,
    timers: world.clock.pendingTimers,
    name: world.runtime.whereis('@seat'),
  }).toMatchObject({
    seen: [failed('slow', 'timeout')],
    outside: { name: 'StartError', reason: 'timeout' },
    tree: 1,
    timers: 0,
    name: undefined,
  });
});

test('S2-007 a start that is in time is limited no more', async () => {
  const { world, caller } = await starter();

  world.tell(caller, start('up', {}, { timeoutMs: 500 }));
  world.advance(500);

  expect({ seen: world.seen(caller).length, alive: world.runtime.tree()[0]?.children.length, timers: world.clock.pendingTimers }).toEqual({
    seen: 1,
    alive: 1,
    timers: 0,
  });
});

test.each<StartName>(['refusing', 'stopping', 'raising', 'ignoring', 'slow'])(
  'S2-008 a failing start leaves no exit to a linked starter that traps, and gives everything back before it is told: %s, five times',
  async (template) => {
    const { world, caller } = await starter();

    for (let count = 0; count < 5; count += 1) {
      world.tell(caller, start(template, { reason: 'shutdown', name: '@seat' }, { link: true, monitor: true }));
      world.advance(1_000);
    }
    const { runtime, clock } = world;
    const left = { name: runtime.whereis('@seat'), children: runtime.tree()[0]?.children, timers: clock.pendingTimers };

    expect({ seen: world.seen(caller).map(({ type }) => type), errors: namesOfErrors(world.seen(caller)), left }).toEqual({
      seen: Array.from({ length: 5 }, () => 'seen.child.failed'),
      errors: [],
      left: { name: undefined, children: [], timers: 0 },
    });
  },
);

/** A name that was not free again would show here. */
function namesOfErrors(messages: readonly Message[]): readonly Message[] {
  return messages.filter(({ reason }) => JSON.stringify(reason).includes('already_started'));
}

test.each<StartName>(['refusing', 'stopping', 'raising'])(
  'S2-009 a linked starter that does not trap survives a failing start: %s',
  async (template) => {
    const { world, caller } = await starter({ trapExit: false });

  world.tell(caller, start(template, { reason: 'shutdown' }, { link: true }));

  expect({ alive: world.isAlive(caller), seen: world.seen(caller) }).toMatchObject({ alive: true, seen: [{ type: 'seen.child.failed' }] });
});

test('S2-010 what is no name does not compile, and no name is no name', async () => {
  const world = new World();
  // @ts-expect-error a name begins with @
  const bad: Name = 'seat';

  const pid = await world.start(startSpec('up'), 'up');

  expect({ bad: world.runtime.whereis(bad), names: world.runtime.processInfo(pid)?.names }).toEqual({ bad: undefined, names: [] });
});

test('S2-011 a child specification says id and start, the rest has defaults that it can override', async () => {
  const world = new World();
  const specs = [
    { id: 'plain', start: () => startSpec('up') },
    { id: 'other', start: () => startSpec('up'), restart: 'transient' as const, shutdown: 'brutal_kill' as const },
  ];
  const sup = await world.start(supervisor({ strategy: 'one_for_one', children: specs }), 'sup');
  const asked = specs.map(({ id }) => world.runtime.call(sup, { type: 'getChildSpec', id }));
  world.runtime.drain();

  expect(await Promise.all(asked)).toEqual([
    { type: 'child.spec', spec: { id: 'plain', restart: 'permanent', shutdown: 5_000, significant: false, type: 'worker' } },
    { type: 'child.spec', spec: { id: 'other', restart: 'transient', shutdown: 'brutal_kill', significant: false, type: 'worker' } },
  ]);
});
