import { expect, test } from 'vitest';
import { Deaths, DEATHS_MAX } from '../../src/observer/recording/deaths.ts';
import { Recorder } from '../../src/observer/recording/recorder.ts';
import type { SupervisorSpec } from '../../src/otp/supervision/child-spec.ts';
import { Family, type ChildPlan } from '../support/otp/family.ts';

async function watched(children: Readonly<Record<string, ChildPlan>>, spec: Partial<SupervisorSpec> = {}) {
  const family = await Family.start(children, spec);
  const { runtime, clock } = family.world;
  const recorder = new Recorder(runtime, clock);
  const deaths = new Deaths(runtime, recorder, clock);
  runtime.ends((end) => deaths.ended(end));
  runtime.lifecycle((record) => deaths.told(record));
  const cards = (limit = 100) => deaths.view({ limit, after: 0 }).deaths;
  return { family, runtime, recorder, deaths, cards };
}

test('of one that is started again the card names the next one, and what is left of the intensity', async () => {
  const { family, cards } = await watched({ a: {}, b: {} }, { maxRestarts: 2, maxSeconds: 5 });

  family.crash('a');
  family.world.runtime.drain();

  expect(cards().map(({ id, isFault, decision }) => [id, isFault, decision])).toEqual([
    [
      'a',
      true,
      {
        type: 'restarted',
        restartedAs: 'sup/a#4',
        intensity: { maxRestarts: 2, maxSeconds: 5, used: 1, left: 1 },
        text: 'Its supervisor started it again as sup/a#4; 1 of 2 restarts in 5 s are left.',
      },
    ],
  ]);
});

test('of one restart too many the card says that the supervisor gave up', async () => {
  const { family, cards } = await watched({ a: {} }, { maxRestarts: 0 });

  family.crash('a');
  family.world.runtime.drain();

  expect(cards().map(({ id, decision }) => [id, decision.type, decision.intensity?.left])).toEqual([
    ['sup', 'none', undefined],
    ['a', 'gaveUp', 0],
  ]);
});

test('one that is temporary is left, and one whose restart fails is still to come', async () => {
  const { family, cards } = await watched({ a: { restart: 'temporary' }, b: { starts: ['up', 'slow'] } });

  family.crash('a');
  family.crash('b');
  family.world.run(100);

  expect(cards().map(({ id, decision }) => [id, decision.type])).toEqual([['b', 'restarted'], ['a', 'left']]);
});

test('siblings that are started over with one that crashed were told to end, and are started again', async () => {
  const { family, cards } = await watched({ a: {}, b: {} }, { strategy: 'one_for_all' });

  family.crash('a');
  family.world.runtime.drain();

  expect(cards().map(({ id, reason, decision }) => [id, reason.text.split(':')[0], decision.type])).toEqual([
    ['b', 'shutdown', 'restarted'],
    ['a', 'Error', 'restarted'],
  ]);
});

test('when a supervisor is told to end its children are left, and nobody waits for their restart', async () => {
  const { family, runtime, cards } = await watched({ a: {} });

  await Promise.all([runtime.stop(family.pid), Promise.resolve(runtime.drain())]);

  expect(cards().map(({ id, decision }) => [id, decision.type])).toEqual([['sup', 'none'], ['a', 'none']]);
});

test('the last events are in the card when somebody recorded, and else the card says that nobody did', async () => {
  const { family, recorder, cards } = await watched({ a: {} }, { maxRestarts: 10 });
  family.crash('a');
  family.world.runtime.drain();
  recorder.look();

  family.world.send('@a', { type: 'seen.1' });
  family.world.send('@a', { type: 'seen.2' });
  family.crash('a');
  family.world.runtime.drain();

  const told = cards().map((card) => [card.lastEvent, card.lastEvents.map(({ type }) => type), card.areEventsRecorded]);
  expect(told).toEqual([
    ['fail', ['fail', 'seen.2', 'seen.1'], true],
    ['fail', [], false],
  ]);
});

test('however many end in good order, the faults are kept, and the count is of all', async () => {
  const count = 3 * DEATHS_MAX;
  const { family, deaths, cards } = await watched({ a: { restart: 'temporary' } });
  family.crash('a');
  for (let index = 0; index < count; index += 1) {
    await family.add(`t${index}`, { restart: 'temporary' });
    family.end(`t${index}`, 'normal');
  }
  family.world.runtime.drain();

  const { faults, ends } = deaths.view({ limit: 1, after: 0 });
  const kept = cards(10_000);
  expect([faults, ends, kept.at(-1)?.id, kept.length <= 2 * DEATHS_MAX + 1]).toEqual([1, count + 1, 'a', true]);
});

test('pages show each card once, the newest first', async () => {
  const { family, deaths } = await watched({ a: {}, b: {}, c: {} }, { maxRestarts: 10 });
  for (const id of ['a', 'b', 'c']) family.crash(id);
  family.world.runtime.drain();

  const first = deaths.view({ limit: 2, after: 0 });
  const second = deaths.view({ limit: 2, after: Number(first.next) });

  expect([first.deaths, second.deaths].map((page) => page.map(({ id }) => id)).concat([[String(second.next)]])).toEqual([
    ['c', 'b'], ['a'], ['null'],
  ]);
});
