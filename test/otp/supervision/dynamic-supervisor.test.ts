import { expect, test } from 'vitest';
import { setup } from 'xstate';
import type { ChildSpec, DynamicSupervisorSpec } from '../../../src/otp/supervision/child-spec.ts';
import { dynamicSupervisor } from '../../../src/otp/supervision/dynamic-supervisor.ts';
import type { ExitReason, Message, Pid } from '../../../src/otp/process.ts';
import { childSpec, type ChildPlan } from '../../support/otp/family.ts';
import { puppetSpec } from '../../support/otp/puppet.ts';
import { World } from '../../support/otp/world.ts';

const crash: ExitReason = { error: { name: 'Error', message: 'crash' } };

/** A dynamic supervisor whose template `puppet` makes the child that `args` describe. */
class Nursery {
  readonly world = new World();
  pid = 'none' as Pid;

  static async start(spec: Partial<DynamicSupervisorSpec> = {}): Promise<Nursery> {
    const nursery = new Nursery();
    const templates: DynamicSupervisorSpec['templates'] = {
      puppet: (args) => childSpec(String(args.id), args.plan as ChildPlan),
      nameless: (): Omit<ChildSpec, 'id'> => ({ start: () => puppetSpec() }),
      bad: () => {
        throw new Error('bad arguments');
      },
    };
    nursery.pid = await nursery.world.start(dynamicSupervisor({ templates, name: '@nursery', ...spec }), 'nursery');
    return nursery;
  }

  async ask(request: Message): Promise<Message> {
    const answer = this.world.runtime.call('@nursery', request);
    this.world.runtime.drain();
    return answer;
  }

  add(id: string, plan: ChildPlan = {}): Promise<Message> {
    return this.ask({ type: 'startChild', template: 'puppet', args: { type: 'args', id, plan } });
  }

  end(id: string, reason: ExitReason): void {
    this.world.tell(`@${id}`, { type: 'stop', params: { reason } });
  }

  get running(): readonly string[] {
    return this.world.runtime.tree().flatMap(({ children }) => children.map(({ pid }) => pid.slice('nursery/'.length)));
  }

  get ends(): readonly (readonly [string, ExitReason])[] {
    return this.world.exits.map(({ process, reason }) => [process.replace(/^.*\//, '').replace(/#\d+$/, ''), reason]);
  }
}

test('starts a child on request and says where it is', async () => {
  const nursery = await Nursery.start();

  const answers = [await nursery.add('a'), await nursery.ask({ type: 'startChild', template: 'nameless', args: { type: 'args' } })];

  expect(answers).toEqual([
    { type: 'child.started', id: 'a', pid: 'nursery/a#2' },
    { type: 'child.started', id: 'nameless-2', pid: 'nursery/nameless-2#3' },
  ]);
});

test('refuses with why: a start that fails, a holder of the id, no such template, bad arguments, too many', async () => {
  const nursery = await Nursery.start({ maxChildren: 1, maxRestarts: 0 });

  const answers = [
    await nursery.add('f', { starts: ['fail'] }),
    await nursery.add('a'),
    await nursery.add('a'),
    await nursery.ask({ type: 'startChild', template: 'unknown', args: { type: 'args' } }),
    await nursery.ask({ type: 'startChild', template: 'bad', args: { type: 'args' } }),
    await nursery.add('b'),
  ];

  expect({ answers, running: nursery.running }).toMatchObject({
    answers: [
      { type: 'child.refused', id: 'f', reason: { error: { message: 'f cannot start' } } },
      { type: 'child.started', id: 'a' },
      { type: 'child.refused', id: 'a', reason: 'already_started', pid: 'nursery/a#3' },
      { type: 'child.refused', reason: 'unknown_template' },
      { type: 'child.refused', reason: { error: { message: 'bad arguments' } } },
      { type: 'child.refused', id: 'b', reason: 'max_children' },
    ],
    running: ['a#3'],
  });
});

test.each([
  ['permanent', 'normal', true],
  ['permanent', crash, true],
  ['transient', 'normal', false],
  ['transient', 'shutdown', false],
  ['transient', { shutdown: 'moved' }, false],
  ['transient', crash, true],
  ['temporary', 'normal', false],
  ['temporary', crash, false],
] as const)('a %s child that ended with %o comes back: %s', async (restart, reason, comesBack) => {
  const nursery = await Nursery.start();
  await nursery.add('a', { restart });

  nursery.end('a', reason);

  expect({ running: nursery.running, counts: await nursery.ask({ type: 'countChildren' }) }).toEqual({
    running: comesBack ? ['a#3'] : [],
    counts: { type: 'children.counted', specs: Number(comesBack), active: Number(comesBack), supervisors: 0, workers: Number(comesBack) },
  });
});

test('retries a restart that fails until it may no more, and lists the child meanwhile', async () => {
  const nursery = await Nursery.start({ maxRestarts: 2 });
  await nursery.add('a', { starts: ['up', 'fail'] });
  await nursery.add('b');

  nursery.end('a', crash);
  const afterTwo = nursery.running;
  nursery.end('a', crash);

  expect({ afterTwo, ends: nursery.ends.slice(2) }).toEqual({
    afterTwo: ['b#3', 'a#5'],
    ends: [
      ['a', crash],
      ['b', 'shutdown'],
      ['nursery', 'shutdown'],
    ],
  });
});

test('ends one child on request, which does not come back', async () => {
  const nursery = await Nursery.start();
  await nursery.add('a');
  await nursery.add('b');

  const answers = [
    await nursery.ask({ type: 'terminateChild', id: 'a' }),
    await nursery.ask({ type: 'terminateChild', pid: 'nursery/b#3' }),
    await nursery.ask({ type: 'terminateChild', pid: 'nursery/b#3' }),
    await nursery.ask({ type: 'terminateChild', id: 'a' }),
  ];

  expect({ answers, ends: nursery.ends }).toEqual({
    answers: [
      { type: 'child.terminated', id: 'a' },
      { type: 'child.terminated', id: 'b' },
      { type: 'child.refused', reason: 'not_found' },
      { type: 'child.refused', id: 'a', reason: 'not_found' },
    ],
    ends: [['a', 'shutdown'], ['b', 'shutdown']],
  });
});

test('kills a child that does not end in time', async () => {
  const nursery = await Nursery.start();
  await nursery.add('a', { stubborn: true, shutdown: 100 });

  const answer = nursery.ask({ type: 'terminateChild', id: 'a' });
  nursery.world.advance(100);

  expect({ answer: await answer, ends: nursery.ends }).toEqual({ answer: { type: 'child.terminated', id: 'a' }, ends: [['a', 'killed']] });
});

test('stops all at once: each by its own rule, as long as the slowest', async () => {
  const nursery = await Nursery.start();
  await nursery.add('quick');
  await nursery.add('patient', { stubborn: true, shutdown: 2_000 });
  await nursery.add('brutal', { stubborn: true, shutdown: 'brutal_kill' });
  await nursery.add('slow', { stubborn: true, shutdown: 1_000 });

  nursery.world.exit(nursery.pid, { shutdown: 'drain' });
  const steps = [[...nursery.ends]];
  for (const ms of [999, 1, 999, 1]) {
    nursery.world.advance(ms);
    steps.push(nursery.ends.slice(steps.flat().length));
  }

  expect(steps).toEqual([
    [['quick', 'shutdown'], ['brutal', 'killed']],
    [],
    [['slow', 'killed']],
    [],
    [['patient', 'killed'], ['nursery', { shutdown: 'drain' }]],
  ]);
});

test('with no children it stops at once, and a caller that waits learns of its end', async () => {
  const nursery = await Nursery.start();
  const { runtime } = nursery.world;
  await nursery.add('slow', { stubborn: true, shutdown: 100 });
  nursery.world.exit(nursery.pid, 'shutdown');
  const asked = runtime.call('@nursery', { type: 'startChild', template: 'nameless', args: { type: 'args' } });
  nursery.world.advance(100);

  const empty = await Nursery.start();
  empty.world.exit(empty.pid, 'shutdown');

  expect([await Promise.allSettled([asked]), empty.ends]).toMatchObject([
    [{ status: 'rejected', reason: { reason: 'shutdown' } }],
    [['nursery', 'shutdown']],
  ]);
});

test('starting and ending a child takes as many messages beside many as beside few', async () => {
  const nursery = await Nursery.start();
  const stepsFor = async (count: number): Promise<number> => {
    let steps = 0;
    for (let index = 0; index < count; index += 1) {
      void nursery.world.runtime.call('@nursery', { type: 'startChild', template: 'nameless', args: { type: 'args' } });
      steps += nursery.world.runtime.drain();
    }
    return steps;
  };

  const [few, many] = [await stepsFor(10), await stepsFor(1_000)];

  expect({ perChild: many / 1_000, running: nursery.running.length }).toEqual({ perChild: few / 10, running: 1_010 });
});

test('gives a child without an id one that nobody has', async () => {
  const nursery = await Nursery.start();
  await nursery.ask({ type: 'startChild', template: 'puppet', args: { type: 'args', id: 'nameless-2' } });

  expect(await nursery.ask({ type: 'startChild', template: 'nameless', args: { type: 'args' } })).toMatchObject({
    type: 'child.started',
    id: 'nameless-3',
  });
});

test('tells a child to stop once, also when its own end comes while it waits for that', async () => {
  const closing = setup({}).createMachine({
    id: 'closing',
    initial: 'open',
    states: { open: { on: { EXIT: 'closing' } }, closing: { on: { closed: 'closed' } }, closed: { type: 'final' } },
  });
  const nursery = await Nursery.start({
    templates: { closing: () => ({ id: 'c', start: () => ({ machine: closing, trapExit: true, name: '@c' }) }) },
  });
  await nursery.ask({ type: 'startChild', template: 'closing', args: { type: 'args' } });
  nursery.world.send('@nursery', { type: 'terminateChild', id: 'c' });

  nursery.world.exit('@nursery', 'shutdown');
  nursery.world.send('@c', { type: 'closed' });

  expect(nursery.world.exits.map(({ reason }) => reason)).toEqual(['normal', 'shutdown']);
});

test('a child that comes up while it is told to stop is stopped all the same, and not started again', async () => {
  const world = new World();
  const slow = setup({}).createMachine({
    initial: 'connecting',
    states: { connecting: { tags: 'starting', on: { connected: 'up' } }, up: {} },
  });
  const pid = await world.start(
    dynamicSupervisor({ templates: { slow: () => ({ id: 'slow', start: () => ({ machine: slow }) }) } }),
    'sup',
  );
  const started = world.runtime.call(pid, { type: 'startChild', template: 'slow', args: { type: 'args' } });
  world.runtime.drain();
  world.runtime.send(world.runtime.tree()[0]?.children[0]?.pid ?? pid, { type: 'connected' });
  const terminated = world.runtime.call(pid, { type: 'terminateChild', id: 'slow' });
  world.runtime.drain();

  expect([await started, await terminated, world.runtime.tree()[0]?.children]).toEqual([
    { type: 'child.refused', id: 'slow', reason: 'shutdown' },
    { type: 'child.terminated', id: 'slow' },
    [],
  ]);
});
