/** Children added, ended, restarted and deleted by request: whole lives, lists and counts. */
import { describe, expect, test } from 'vitest';
import type { Message, ProcessSpec } from '../../../../src/otp/process.ts';
import { via } from '../../../../src/otp/kernel/registry.ts';
import { supervisor } from '../../../../src/otp/supervision/supervisor.ts';
import { childSpec, Family, familySpec } from '../../../support/otp/family.ts';
import { puppetSpec } from '../../../support/otp/puppet.ts';
import { World } from '../../../support/otp/world.ts';

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;

test.each(STRATEGIES)('S5-100 %s: a life, request by request, with the counts after each', async (strategy) => {
  const family = await Family.start({}, { strategy });
  const requests = [
    'start',
    'start',
    'terminateChild',
    'terminateChild',
    'start',
    'restartChild',
    'restartChild',
    'deleteChild',
    'terminateChild',
    'deleteChild',
    'restartChild',
  ] as const;

  const life: unknown[] = [];
  for (const request of requests) {
    const answer = request === 'start' ? await family.add('a') : await family.ask({ type: request, id: 'a' });
    life.push([request, answer.reason ?? answer.type, await family.counts()]);
  }

  expect(life).toEqual([
    ['start', 'child.started', [1, 1, 0, 1]],
    ['start', 'already_started', [1, 1, 0, 1]],
    ['terminateChild', 'child.terminated', [1, 0, 0, 1]],
    ['terminateChild', 'child.terminated', [1, 0, 0, 1]],
    ['start', 'already_present', [1, 0, 0, 1]],
    ['restartChild', 'child.started', [1, 1, 0, 1]],
    ['restartChild', 'running', [1, 1, 0, 1]],
    ['deleteChild', 'running', [1, 1, 0, 1]],
    ['terminateChild', 'child.terminated', [1, 0, 0, 1]],
    ['deleteChild', 'child.deleted', [0, 0, 0, 0]],
    ['restartChild', 'not_found', [0, 0, 0, 0]],
  ]);
});

describe('specifications', () => {
  test('S5-001 what is not given has its default, a supervisor has all the time to stop, what is given is kept', async () => {
    const children = [
      { id: 'worker', start: () => puppetSpec() },
      { id: 'supervisor', start: () => familySpec({}), type: 'supervisor' as const },
      {
        id: 'given',
        start: () => puppetSpec(),
        restart: 'transient' as const,
        shutdown: 'brutal_kill' as const,
        significant: true,
        type: 'worker' as const,
      },
    ];
    const family = await Family.start({}, { children, autoShutdown: 'any_significant' });

    const specs = await Promise.all(children.map(({ id }) => family.ask({ type: 'getChildSpec', id })));

    expect(specs.map(({ spec }) => spec)).toEqual([
      { id: 'worker', restart: 'permanent', shutdown: 5_000, significant: false, type: 'worker' },
      { id: 'supervisor', restart: 'permanent', shutdown: 'infinity', significant: false, type: 'supervisor' },
      { id: 'given', restart: 'transient', shutdown: 'brutal_kill', significant: true, type: 'worker' },
    ]);
  });

  test('S5-018 a template with a fault: the request is refused with it, and nothing is kept', async () => {
    const templates = { faulty: () => ({ id: 'a', start: () => puppetSpec(), shutdown: -1 }) };
    const family = await Family.start({}, { templates });

    const answer = await family.ask({ type: 'startChild', template: 'faulty', args: { type: 'args' } });

    expect({ answer, counts: await family.counts() }).toEqual({
      answer: { type: 'child.refused', reason: { code: 'invalid_shutdown', value: -1 } },
      counts: [0, 0, 0, 0],
    });
  });

  test('S5-128 a significant child for a supervisor that never shuts itself down is refused', async () => {
    const family = await Family.start({});

    const { reason } = await family.add('a', { restart: 'transient', significant: true });

    expect(reason).toEqual({ code: 'bad_combination', value: { autoShutdown: 'never', significant: true } });
  });
});

describe('a start that somebody asked for', () => {
  test('S5-035 a child that is not needed: a permanent one is kept as down, a temporary one is gone', async () => {
    const family = await Family.start({});

    const answers = [await family.add('p', { starts: ['ignore'] }), await family.add('t', { starts: ['ignore'], restart: 'temporary' })];

    expect({ answers, children: await family.children(), counts: await family.counts() }).toEqual({
      answers: [{ type: 'child.ignored', id: 'p' }, { type: 'child.ignored', id: 't' }],
      children: ['p down'],
      counts: [1, 0, 0, 1],
    });
  });

  test.each(STRATEGIES)(
    'S5-104 S5-033 %s: one that fails is told with its reason, nothing is kept, no restart is counted',
    async (strategy) => {
      const family = await Family.start({ a: {} }, { strategy, maxRestarts: 0 });

    const answer = await family.add('b', { starts: ['fail'] });

    expect({ answer, running: family.running, counts: await family.counts() }).toMatchObject({
      answer: { type: 'child.refused', id: 'b', reason: { error: { message: 'b cannot start' } } },
      running: ['a#2'],
      counts: [1, 1, 0, 1],
    });
  });

  test('S5-104 a template that throws, and one whose start is no process, fail likewise', async () => {
    const templates = {
      throws: () => {
        throw new Error('bad arguments');
      },
      garbage: () => ({ id: 'a', start: () => nothing() }),
    };
    const family = await Family.start({}, { templates });

    const answers = [
      await family.ask({ type: 'startChild', template: 'throws', args: { type: 'args' } }),
      await family.ask({ type: 'startChild', template: 'garbage', args: { type: 'args' } }),
    ];

    expect({ answers, counts: await family.counts() }).toMatchObject({
      answers: [
        { type: 'child.refused', reason: { error: { message: 'bad arguments' } } },
        { type: 'child.refused', id: 'a', reason: { error: {} } },
      ],
      counts: [0, 0, 0, 0],
    });
  });

  test('S5-105 one whose name somebody else has is refused with that, and the other is left alone', async () => {
    const family = await Family.start({});
    const holder = await family.world.puppet('holder', { name: '@a' });

    const answer = await family.add('a');

    expect({ answer, counts: await family.counts(), alive: family.world.isAlive(holder) }).toMatchObject({
      answer: { type: 'child.refused', id: 'a', reason: { error: { name: 'already_started' } } },
      counts: [0, 0, 0, 0],
      alive: true,
    });
  });

  test('S5-106 S5-107 restartChild: one that fails stays down; one that is not needed too; then it runs', async () => {
    const family = await Family.start({ a: { starts: ['up', 'fail', 'ignore', 'up'] } }, { maxRestarts: 0 });
    await family.ask({ type: 'terminateChild', id: 'a' });

    const answers = [];
    for (let count = 0; count < 3; count += 1) answers.push([await family.ask({ type: 'restartChild', id: 'a' }), await family.counts()]);

    expect(answers).toMatchObject([
      [{ type: 'child.refused', id: 'a', reason: { error: { message: 'a cannot start' } } }, [1, 0, 0, 1]],
      [{ type: 'child.ignored', id: 'a' }, [1, 0, 0, 1]],
      [{ type: 'child.started', id: 'a', pid: 'sup/a#5' }, [1, 1, 0, 1]],
    ]);
  });

  test('S5-050 a child that was asked for comes back from the arguments that it was asked for with', async () => {
    const made: unknown[] = [];
    const noting = ({ word }: Message) => ({ id: 'a', start: () => (made.push(word), puppetSpec({ name: '@a' })) });
    const family = await Family.start({}, { templates: { noting } });
    await family.ask({ type: 'startChild', template: 'noting', args: { type: 'args', word: 'first' } });

    family.crash('a');

    expect({ made, running: family.running }).toEqual({ made: ['first', 'first'], running: ['a#3'] });
  });
});

describe('lists and counts', () => {
  test('S5-109 S5-110 the list is in the order of start (OTP: newest first), and whichChild says of each what the list says', async () => {
    const family = await Family.start({ c: {} });
    await family.add('a');
    await family.add('b');
    await family.ask({ type: 'terminateChild', id: 'a' });
    const before = await family.children();
    await family.ask({ type: 'deleteChild', id: 'a' });
    await family.add('a');

    const { children } = await family.ask({ type: 'whichChildren' });
    const each = [];
    for (const id of ['c', 'b', 'a']) each.push((await family.ask({ type: 'whichChild', id })).child);

    expect({ before, children, each }).toEqual({
      before: ['c sup/c#2', 'a down', 'b sup/b#4'],
      children: [
        { id: 'c', pid: 'sup/c#2', status: 'up', type: 'worker' },
        { id: 'b', pid: 'sup/b#4', status: 'up', type: 'worker' },
        { id: 'a', pid: 'sup/a#5', status: 'up', type: 'worker' },
      ],
      each: children,
    });
  });

  test('S5-111 counts specifications by type, alive or not, and who is alive', async () => {
    const children = [
      childSpec('worker'),
      { ...childSpec('finished', { restart: 'transient' }) },
      { id: 'below', start: () => familySpec({ deeper: {} }), type: 'supervisor' as const },
    ];
    const family = await Family.start({}, { children });
    family.end('finished', 'normal');
    const before = await family.counts();

    await family.ask({ type: 'terminateChild', id: 'below' });

    expect({ before, after: await family.counts() }).toEqual({ before: [3, 2, 1, 2], after: [3, 1, 1, 2] });
  });

  test('S5-108 a request to who is not there fails with noproc', async () => {
    const family = await Family.start({});
    family.world.exit(family.pid, 'shutdown');

    const failures = await Promise.all(
      ['startChild', 'terminateChild', 'restartChild', 'deleteChild', 'getChildSpec', 'whichChild', 'whichChildren', 'countChildren'].map(
        (type) => family.ask({ type, id: 'a' }).catch((error: unknown) => error),
      ),
    );

    expect(failures).toEqual(failures.map(() => expect.objectContaining({ name: 'CallError', reason: 'noproc' })));
  });

  test.each(STRATEGIES)('S5-113 %s: a message that is none of its business changes nothing', async (strategy) => {
    const family = await Family.start({ a: {} }, { strategy });

    family.world.send(family.pid, { type: 'nonsense' });
    family.world.send(family.pid, { type: 'STARTED', process: 'nobody' });

    expect(family.running).toEqual(['a#2']);
  });

  test.each([['@top'], [via('houses', { street: 1 })]] as const)('S5-027 its name %s is as good as its pid', async (name) => {
    const world = new World();
    await world.start(supervisor({ strategy: 'one_for_one', name, children: [childSpec('a')] }), 'sup');

    const answers = [];
    for (const type of [
      'countChildren',
      'whichChildren',
      'whichChild',
      'getChildSpec',
      'terminateChild',
      'restartChild',
      'terminateChild',
      'deleteChild',
    ])
      answers.push((await world.ask(name, { type, id: 'a' })).type);

    expect(answers).toEqual([
      'children.counted',
      'children',
      'child',
      'child.spec',
      'child.terminated',
      'child.started',
      'child.terminated',
      'child.deleted',
    ]);
  });
});

/** What code without types may give. */
function nothing(): ProcessSpec {
  return JSON.parse('null') as ProcessSpec;
}
