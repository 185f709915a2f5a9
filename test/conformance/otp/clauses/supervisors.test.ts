import { expect, test } from 'vitest';
import { checkChildSpecs, InvalidSpecError } from '../../../../src/otp/supervision/child-spec-faults.ts';
import type { ChildSpec, SupervisorSpec } from '../../../../src/otp/supervision/child-spec.ts';
import { dynamicSupervisor } from '../../../../src/otp/supervision/dynamic-supervisor.ts';
import type { Message } from '../../../../src/otp/process.ts';
import { supervisor } from '../../../../src/otp/supervision/supervisor.ts';
import { childSpec, Family } from '../../../support/otp/family.ts';
import { puppetSpec } from '../../../support/otp/puppet.ts';
import { World } from '../../../support/otp/world.ts';

const abc = { a: {}, b: {}, c: {} };

test('clause 20: a first start that fails takes back those before it, in reverse, and says which one and why', async () => {
  const world = new World();

  const outcome: unknown = await Family.start({ a: {}, b: {}, c: { starts: ['fail'] } }, {}, world).catch((error: unknown) => error);

  expect({ outcome, ends: world.exits.map(({ process }) => process) }).toMatchObject({
    outcome: { reason: { shutdown: { type: 'failed_to_start_child', id: 'c', reason: { error: { message: 'c cannot start' } } } } },
    ends: ['sup/c#4', 'sup/b#3', 'sup/a#2', 'sup#1'],
  });
});

test('clause 21: a group restart drops temporary siblings and starts finished ones again', async () => {
  const family = await Family.start({ a: {}, b: { restart: 'transient' }, c: { restart: 'temporary' } }, { strategy: 'one_for_all' });
  family.end('b', 'normal');

  family.crash('a');

  expect(family.running).toEqual(['a#5', 'b#6']);
});

test('clause 22: between two tries of a restart that fails the supervisor can be asked and stopped', async () => {
  const forever = ['up', ...Array.from({ length: 10_000 }, () => 'fail' as const)] as const;
  const family = await Family.start({ a: { starts: forever } }, { maxRestarts: 1_000_000 });
  const { runtime } = family.world;
  runtime.send('@a', { type: 'fail' });
  for (let step = 0; step < 200; step += 1) runtime.step();

  const asked = runtime.call(family.pid, { type: 'countChildren' });
  for (let step = 0; step < 200; step += 1) runtime.step();
  const stopped = runtime.stop(family.pid);
  runtime.drain();

  expect({ asked: await asked, stopped: await stopped }).toMatchObject({
    asked: { type: 'children.counted', specs: 1 },
    stopped: 'shutdown',
  });
});

test.each([
  [1_000, 'shutdown'],
  [2_000, undefined],
])('clause 23: one restart a second, the next %d ms later, at its border: ends with %o', async (apartMs, reason) => {
  const family = await Family.start({ a: {} }, { maxRestarts: 1, maxSeconds: 1 });

  family.crash('a');
  family.world.advance(apartMs);
  family.crash('a');

  expect(family.reason).toBe(reason);
});

test('clause 24: a sibling that ends while another is being stopped is handled afterwards', async () => {
  const family = await Family.start({ a: {}, b: {}, c: { stubborn: true, shutdown: 100 } }, { strategy: 'rest_for_one', maxRestarts: 9 });
  family.crash('b');
  family.crash('a');
  const busy = family.running;

  family.world.advance(100);
  family.world.advance(100);

  expect({ busy, running: family.running.map((pid) => pid.slice(0, 1)) }).toEqual({ busy: ['c#4'], running: ['a', 'b', 'c'] });
});

test('clause 25: stops in reverse order, each within its time, and ends with the reason it was given', async () => {
  const family = await Family.start({ a: {}, b: { stubborn: true, shutdown: 100 }, c: { stubborn: true, shutdown: 'brutal_kill' } });
  const stranger = await family.world.puppet('stranger');
  family.world.tell(stranger, { type: 'exit', params: { process: family.pid, reason: 'shutdown' } });
  const obeysStrangers = family.endsSince().length > 0;

  family.world.exit(family.pid, { shutdown: 'drain' });
  const before = family.endsSince();
  family.world.advance(100);

  expect({ obeysStrangers, before, after: family.endsSince(), reason: family.reason }).toEqual({
    obeysStrangers: false,
    before: ['c killed'],
    after: ['c killed', 'b killed', 'a shutdown', 'sup shutdown'],
    reason: { shutdown: 'drain' },
  });
});

test.each(['any_significant', 'all_significant'] as const)(
  'clause 26: %s says which significant end ends the supervisor',
  async (autoShutdown) => {
    const significant = { restart: 'transient', significant: true } as const;
    const family = await Family.start({ a: significant, b: significant, c: {} }, { autoShutdown });

  family.end('a', 'normal');
  const afterFirst = family.isAlive;
  if (afterFirst) family.end('b', 'normal');

  expect({ afterFirst, reason: family.reason }).toEqual({ afterFirst: autoShutdown === 'all_significant', reason: 'shutdown' });
});

test('clause 27: a dynamic supervisor starts side by side and stops all at once', async () => {
  const world = new World();
  const templates = { child: ({ id }: Message) => childSpec(String(id), { stubborn: true, shutdown: 100 }) };
  const pid = await world.start(dynamicSupervisor({ templates, name: '@sup' }), 'sup');
  const ask = (id: string) => world.runtime.call(pid, { type: 'startChild', template: 'child', args: { type: 'args', id } });
  const answers = ['a', 'b', 'c'].map(ask);
  world.runtime.drain();

  world.exit(pid, 'shutdown');
  world.advance(100);

  expect({ answers: await Promise.all(answers), ends: world.exits.map(({ process }) => process) }).toMatchObject({
    answers: ['a', 'b', 'c'].map((id) => ({ type: 'child.started', id })),
    ends: ['sup/a#2', 'sup/b#3', 'sup/c#4', 'sup#1'],
  });
});

test('clause 27: starting one more takes as many messages beside many as beside few', async () => {
  const world = new World();
  const pid = await world.start(dynamicSupervisor({ templates: { child: ({ id }: Message) => childSpec(String(id)) } }), 'sup');
  const stepsFor = (from: number, count: number): number => {
    for (let index = from; index < from + count; index += 1) {
      void world.runtime.call(pid, { type: 'startChild', template: 'child', args: { type: 'args', id: `c${index}` } });
    }
    return world.runtime.drain() / count;
  };

  const [few, many] = [stepsFor(0, 10), stepsFor(10, 500)];

  expect(many).toBe(few);
});

test('clause 21: rest_for_one starts over those behind, one_for_one nobody else', async () => {
  const [one, rest] = [await Family.start(abc, { strategy: 'one_for_one' }), await Family.start(abc, { strategy: 'rest_for_one' })];

  one.crash('b');
  rest.crash('b');

  expect([one.running, rest.running]).toEqual([['a#2', 'b#5', 'c#4'], ['a#2', 'b#5', 'c#6']]);
});

test('clause 39: a faulty specification is refused with its first fault', () => {
  const child = (more: object) => ({ id: 'a', start: () => puppetSpec(), ...more }) as ChildSpec;

  const faults = [
    checkChildSpecs([child({})]),
    checkChildSpecs([child({}), child({})]),
    checkChildSpecs([child({ restart: 'often', shutdown: -1 })]),
  ];

  expect(faults).toEqual([undefined, { code: 'duplicate_child_name', value: 'a' }, { code: 'invalid_restart_type', value: 'often' }]);
});

test('clause 39: a supervisor with a faulty specification is not even made', () => {
  const spec = { strategy: 'one_for_some', maxRestarts: -1, children: [{}] } as unknown as SupervisorSpec;

  expect(() => supervisor(spec)).toThrow(new InvalidSpecError({ code: 'invalid_strategy', value: 'one_for_some' }));
});

test('clause 40: children are added, stopped, started again and forgotten by request, each answered once', async () => {
  const templates = { child: ({ id }: Message) => childSpec(String(id)) };
  const family = await Family.start({ a: {} }, { templates });
  const ask = (type: string, more: object = {}) => family.world.ask(family.pid, { type, id: 'b', ...more });

  const answers = [
    await ask('startChild', { template: 'child', args: { type: 'args', id: 'b' } }),
    await ask('deleteChild'),
    await ask('terminateChild'),
    await ask('restartChild'),
    await ask('terminateChild'),
    await ask('deleteChild'),
    await ask('restartChild'),
  ];

  expect(answers.map(({ type, reason }) => (reason === undefined ? type : reason))).toEqual([
    'child.started',
    'running',
    'child.terminated',
    'child.started',
    'child.terminated',
    'child.deleted',
    'not_found',
  ]);
});
