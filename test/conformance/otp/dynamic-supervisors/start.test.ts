/** Dynamic supervisors: what they are made of, and what a request to start a child can come to. */
import { describe, expect, test } from 'vitest';
import type { ChildSpec, DynamicSupervisorSpec } from '../../../../src/otp/supervision/child-spec.ts';
import { dynamicSupervisorFault, InvalidSpecError } from '../../../../src/otp/supervision/child-spec-faults.ts';
import { dynamicSupervisor } from '../../../../src/otp/supervision/dynamic-supervisor.ts';
import type { ExitReason, ProcessSpec } from '../../../../src/otp/process.ts';
import { supervisor } from '../../../../src/otp/supervision/supervisor.ts';
import { FAILS_FOR_EVER, Family } from '../../../support/otp/family.ts';
import { Nursery, nurserySpec } from '../../../support/otp/nursery.ts';
import { puppetSpec } from '../../../support/otp/puppet.ts';
import { World } from '../../../support/otp/world.ts';

const start = () => puppetSpec();

describe('what it is made of', () => {
  test('S6-001 by default: three restarts in five seconds, any number of children, no arguments of its own', async () => {
    const given: unknown[] = [];
    const nursery = await Nursery.start({
      templates: { noting: (args) => ({ start: () => (given.push(args), puppetSpec({ name: '@noting' })) }) },
    });
    await nursery.ask({ type: 'startChild', template: 'noting', args: { type: 'args', word: 1 } });

    const lives = [];
    for (let count = 0; count < 4; count += 1) {
      nursery.end('noting', 'normal');
      lives.push(nursery.reason ?? 'alive');
    }

    expect({ lives, first: given[0], times: given.length }).toEqual({
      lives: ['alive', 'alive', 'alive', 'shutdown'],
      first: { type: 'args', word: 1 },
      times: 4,
    });
  });

  test.each([
    ['a strategy of groups', { strategy: 'one_for_all' }, { code: 'invalid_strategy', value: 'one_for_all' }],
    ['no such strategy', { strategy: 'simple' }, { code: 'invalid_strategy', value: 'simple' }],
    ['a negative number of restarts', { maxRestarts: -1 }, { code: 'invalid_intensity', value: -1 }],
    ['no period', { maxSeconds: 0 }, { code: 'invalid_period', value: 0 }],
    ['a negative number of children', { maxChildren: -1 }, { code: 'invalid_max_children', value: -1 }],
    ['a number of children that is none', { maxChildren: 'many' }, { code: 'invalid_max_children', value: 'many' }],
    ['extra arguments that are no object', { extraArgs: 'x' }, { code: 'invalid_extra_args', value: 'x' }],
    ['auto-shutdown', { autoShutdown: 'any_significant' }, { code: 'invalid_auto_shutdown', value: 'any_significant' }],
  ] as const)('S6-002 is not made: %s', (_, fields, fault) => {
    expect(dynamicSupervisorFault({ templates: {}, ...fields })).toEqual(fault);
  });

  test('S6-003 what is no specification makes none, and one that is not needed is not there (OTP: init says either)', async () => {
    const family = await Family.start(
      {},
      { children: [{ id: 'below', start: () => ({ open: () => 'ignore' as const }), type: 'supervisor' }] },
    );

    expect({ garbage: dynamicSupervisorFault('unknown'), children: await family.children() }).toEqual({
      garbage: { code: 'invalid_type', value: 'unknown' },
      children: ['below down'],
    });
  });

  test('S6-004 several under one supervisor have different ids; a second of one id is refused', async () => {
    const children: readonly ChildSpec[] = ['one', 'two'].map((id) => ({
      id,
      start: () => nurserySpec({ name: `@${id}` }),
      type: 'supervisor',
    }));
    const templates = { again: () => ({ id: 'one', start: () => nurserySpec() }) };
    const family = await Family.start({}, { children, templates });

    const answer = await family.ask({ type: 'startChild', template: 'again', args: { type: 'args' } });

    expect({
      answer,
      counts: await family.counts(),
      twice: thrownBy(() => supervisor({ strategy: 'one_for_one', children: [...children, ...children] })),
    }).toEqual({
      answer: { type: 'child.refused', id: 'one', reason: 'already_started', pid: 'sup/one#2' },
      counts: [2, 2, 2, 0],
      twice: new InvalidSpecError({ code: 'duplicate_child_name', value: 'one' }),
    });
  });

  test('S6-008 has a name, ends with who started it, and can be stopped', async () => {
    const world = new World();
    const owner = await world.puppet('owner', { spawns: { nursery: () => nurserySpec({ name: '@nursery' }) } });
    world.tell(owner, { type: 'start', params: { template: 'nursery', as: 'nursery', link: true } });
    const answer = await world.ask('@nursery', { type: 'startChild', template: 'nameless', args: { type: 'args' } });

    world.send(owner, { type: 'fail' });
    const left = world.runtime.tree();
    const other = await Nursery.start();
    const stopped = other.world.runtime.stop(other.pid, 'normal');
    other.world.runtime.drain();

    expect({ answer: answer.type, left, stopped: await stopped }).toEqual({ answer: 'child.started', left: [], stopped: 'normal' });
  });
});

describe('specifications of children', () => {
  test.each<readonly [string, () => unknown, unknown]>([
    ['no object', () => 'child', { code: 'invalid_child_spec', value: 'child' }],
    ['no start', () => ({}), { code: 'missing_start' }],
    ['a start that is no function', () => ({ start: 'x' }), { code: 'invalid_start', value: 'x' }],
    ['a negative time to stop', () => ({ start, shutdown: -1 }), { code: 'invalid_shutdown', value: -1 }],
    ['significant', () => ({ start, significant: true }), { code: 'invalid_significant', value: true }],
  ])(
    "S6-005 %s: the request is refused, nothing is kept (Elixir checks before it asks; here the template's supervisor does)",
    async (_, template, reason) => {
      const nursery = await Nursery.start({ templates: { faulty: template as DynamicSupervisorSpec['templates'][string] } });

    const answer = await nursery.ask({ type: 'startChild', template: 'faulty', args: { type: 'args' } });

    expect({ answer, counts: await nursery.counts() }).toEqual({ answer: { type: 'child.refused', reason }, counts: [0, 0, 0, 0] });
  });

  test('S6-005 a template that there is not is refused', async () => {
    const nursery = await Nursery.start();

    const answers = [];
    for (const template of ['unknown', 'toString']) {
      answers.push(await nursery.ask({ type: 'startChild', template, args: { type: 'args' } }));
    }

    expect(answers).toEqual([{ type: 'child.refused', reason: 'unknown_template' }, { type: 'child.refused', reason: 'unknown_template' }]);
  });

  test('S6-007 many of one template: each without an id gets its own; an id that is given is unique (OTP: ids are ignored)', async () => {
    const nursery = await Nursery.start();

    const answers = [await nursery.addNameless(), await nursery.addNameless(), await nursery.add('a'), await nursery.add('a')];

    expect({ ids: new Set(answers.map(({ id }) => id)).size, last: answers.at(-1), counts: await nursery.counts() }).toEqual({
      ids: 3,
      last: { type: 'child.refused', id: 'a', reason: 'already_started', pid: 'nursery/a#4' },
      counts: [3, 3, 0, 3],
    });
  });
});

describe('what a request comes to', () => {
  test('S6-009 S5-036 started; not needed: nothing is kept, whatever the type, and the supervisor ends in good order', async () => {
    const nursery = await Nursery.start();

    const answers = [await nursery.add('up')];
    for (const restart of ['permanent', 'transient', 'temporary'] as const) {
      answers.push(await nursery.add(restart, { starts: ['ignore'], restart }));
    }
    const counts = await nursery.counts();
    nursery.world.exit(nursery.pid, 'shutdown');

    expect({ answers, counts, reason: nursery.reason }).toEqual({
      answers: [
        { type: 'child.started', id: 'up', pid: 'nursery/up#2' },
        { type: 'child.ignored', id: 'permanent' },
        { type: 'child.ignored', id: 'transient' },
        { type: 'child.ignored', id: 'temporary' },
      ],
      counts: [1, 1, 0, 1],
      reason: 'shutdown',
    });
  });

  test.each<readonly [string, () => ProcessSpec, unknown]>([
    ['a start that throws an error', () => thrower(new TypeError('oops')), { error: { name: 'TypeError', message: 'oops' } }],
    ['a start that throws a value', () => thrower('oops'), { error: { message: 'oops' } }],
    ['a start that gives no process', () => JSON.parse('null') as ProcessSpec, { error: { name: 'TypeError' } }],
    ['a process that ends before it is up', () => puppetSpec({ name: '@taken' }), { error: { name: 'already_started' } }],
  ])('S6-009 S6-010 S5-104 %s: refused with the bare reason, and the supervisor lives', async (_, make, reason) => {
    const nursery = await Nursery.start({ maxRestarts: 0, templates: { failing: () => ({ start: make }), nameless: () => ({ start }) } });
    await nursery.world.puppet('holder', { name: '@taken' });

    const answer = await nursery.ask({ type: 'startChild', template: 'failing', args: { type: 'args' } });

    expect({ answer, next: (await nursery.addNameless()).type, counts: await nursery.counts() }).toMatchObject({
      answer: { type: 'child.refused', reason },
      next: 'child.started',
      counts: [1, 1, 0, 1],
    });
  });

  test('S6-013 starts that fail do not count as restarts', async () => {
    const nursery = await Nursery.start({ maxRestarts: 1 });
    for (const id of ['a', 'b', 'c']) await nursery.add(id, { starts: ['fail'] });
    await nursery.add('d');

    nursery.end('d', 'killed');

    expect({ reason: nursery.reason, running: nursery.running }).toEqual({ reason: undefined, running: ['d#6'] });
  });
});

describe('how many', () => {
  test('S6-011 none allowed: refused', async () => {
    const nursery = await Nursery.start({ maxChildren: 0 });

    expect(await nursery.add('a')).toEqual({ type: 'child.refused', id: 'a', reason: 'max_children' });
  });

  test('S6-011 those that came back count, and one that is gone makes room', async () => {
    const nursery = await Nursery.start({ maxChildren: 1 });
    await nursery.add('a', { restart: 'transient' });
    nursery.end('a', 'killed');
    const full = await nursery.add('b');

    nursery.end('a', 'normal');

    expect([full.reason, (await nursery.add('b')).type]).toEqual(['max_children', 'child.started']);
  });

  test('S6-011 one whose restart is being tried counts', async () => {
    const nursery = await Nursery.start({ maxChildren: 1, maxRestarts: 1_000_000 });
    await nursery.add('a', { starts: FAILS_FOR_EVER });
    nursery.crashInLoop('a');

    expect((await nursery.add('b')).reason).toBe('max_children');
  });
});

test('S6-012 S6-019 extra arguments go to every template, the request\'s own win, and a restart has the same', async () => {
  const given: unknown[] = [];
  const nursery = await Nursery.start({
    extraArgs: { colour: 'red', size: 1 },
    templates: {
      noting: ({ colour, size, word }) => ({
        id: 'a',
        restart: 'transient',
        start: () => (given.push([colour, size, word]), puppetSpec({ name: '@a' })),
      }),
    },
  });
  await nursery.ask({ type: 'startChild', template: 'noting', args: { type: 'args', size: 2, word: 'hello' } });
  const oops: ExitReason = { error: { name: 'Error', message: 'oops' } };

  nursery.end('a', oops);

  expect({ given, running: nursery.running }).toEqual({ given: [['red', 2, 'hello'], ['red', 2, 'hello']], running: ['a#3'] });
});

test('S6-008 the name of a dynamic supervisor is taken once', async () => {
  const world = new World();
  await world.start(dynamicSupervisor({ templates: {}, name: '@nursery' }), 'one');

  const second: unknown = await world.start(dynamicSupervisor({ templates: {}, name: '@nursery' }), 'two').catch((error: unknown) => error);

  expect(second).toMatchObject({ name: 'StartError', reason: { error: { name: 'already_started' } } });
});

function thrower(thrown: unknown): never {
  throw thrown;
}

function thrownBy(make: () => unknown): unknown {
  try {
    return make();
  } catch (error) {
    return error;
  }
}
