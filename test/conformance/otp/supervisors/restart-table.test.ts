/** Which end of a child is a reason to start it again: each cell of the table, under each strategy and a dynamic supervisor. */
import { describe, expect, test } from 'vitest';
import type { Restart, SupervisorSpec } from '../../../../src/otp/supervision/child-spec.ts';
import type { ExitReason } from '../../../../src/otp/process.ts';
import { Family } from '../../../support/otp/family.ts';
import { Nursery } from '../../../support/otp/nursery.ts';

type Under = SupervisorSpec['strategy'] | 'dynamic';
type Ending = 'normal' | 'shutdown' | 'shutdown with a cause' | 'a crash' | 'a kill' | 'noproc';

const STATIC = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;
const UNDER: readonly Under[] = [...STATIC, 'dynamic'];
const CLEAN: readonly Ending[] = ['normal', 'shutdown', 'shutdown with a cause'];
const UNCLEAN: readonly Ending[] = ['a crash', 'a kill', 'noproc'];

const CAME_BACK = { running: ['a#3'], counts: [1, 1, 0, 1] };
const KEPT = { running: [], counts: [1, 0, 0, 1] };
const GONE = { running: [], counts: [0, 0, 0, 0] };

describe('one cell each', () => {
  test.each(cells(UNDER, [...CLEAN, ...UNCLEAN]))(
    'S5-040 S5-041 S5-042 $under, permanent, $ending: comes back',
    async ({ under, ending }) => {
      expect(await outcome(under, 'permanent', ending)).toEqual(CAME_BACK);
    },
  );

  test.each(cells(STATIC, CLEAN))(
    'S5-043 S5-044 $under, transient, $ending: stays down, its specification is kept',
    async ({ under, ending }) => {
      expect(await outcome(under, 'transient', ending)).toEqual(KEPT);
    },
  );

  test.each(cells(['dynamic'], CLEAN))('S5-043 S5-044 S6-014 $under, transient, $ending: is gone', async ({ under, ending }) => {
    expect(await outcome(under, 'transient', ending)).toEqual(GONE);
  });

  test.each(cells(UNDER, UNCLEAN))('S5-045 S6-014 $under, transient, $ending: comes back', async ({ under, ending }) => {
    expect(await outcome(under, 'transient', ending)).toEqual(CAME_BACK);
  });

  test.each(cells(UNDER, [...CLEAN, ...UNCLEAN]))(
    'S5-046 S6-014 $under, temporary, $ending: is gone with its specification',
    async ({ under, ending }) => {
      expect(await outcome(under, 'temporary', ending)).toEqual(GONE);
    },
  );
});

test.each(STATIC)('S5-041 %s: a permanent child that shuts down twice, in two ways, comes back both times', async (strategy) => {
  const family = await Family.start({ a: {} }, { strategy });

  family.end('a', 'shutdown');
  const first = family.running;
  family.end('a', { shutdown: 'moved' });

  expect([first, family.running]).toEqual([['a#3'], ['a#4']]);
});

describe('siblings', () => {
  const plans = { before: {}, transient: { restart: 'transient' }, temporary: { restart: 'temporary' }, behind: {} } as const;

  test.each(STATIC)(
    'S5-047 %s: the clean end of a transient and any end of a temporary child leave the others as they are',
    async (strategy) => {
      const family = await Family.start(plans, { strategy });

    family.end('transient', { shutdown: 'done' });
    family.crash('temporary');

    expect(family.running).toEqual(['before#2', 'behind#5']);
  });

  test.each(STATIC)('S5-048 %s: the lifecycle tells each end with its reason, and a restart only of who comes back', async (strategy) => {
    const family = await Family.start({ p: {}, t: { restart: 'transient' }, u: { restart: 'temporary' } }, { strategy, maxRestarts: 9 });
    const told: unknown[] = [];
    family.world.runtime.lifecycle((record) => {
      if (record.type === 'exit') told.push(['exit', record.process, record.reason]);
      if (record.type === 'restart') told.push(['restart', record.id, record.supervisor]);
    });

    family.end('u', 'normal');
    family.end('t', 'normal');
    family.world.exit(family.child('p'), 'kill');

    const group = strategy === 'one_for_one' ? [] : [['restart', 't', 'sup#1']];
    expect(told).toEqual([
      ['exit', 'sup/u#4', 'normal'],
      ['exit', 'sup/t#3', 'normal'],
      ['exit', 'sup/p#2', 'killed'],
      ['restart', 'p', 'sup#1'],
      ...group,
    ]);
  });
});

test.each(STATIC)('S5-049 %s: the end of somebody who is no child changes nothing', async (strategy) => {
  const family = await Family.start({ a: {}, b: {} }, { strategy, maxRestarts: 0 });
  const stranger = await family.world.puppet('stranger');
  family.world.tell(stranger, { type: 'link', params: { process: family.pid } });

  family.world.send(stranger, { type: 'fail' });

  expect({ running: family.running, counts: await family.counts() }).toEqual({ running: ['a#2', 'b#3'], counts: [2, 2, 0, 2] });
});

test('S5-050 a child that came back has its id, its place and its specification', async () => {
  const family = await Family.start({ c: {}, a: { restart: 'transient' }, b: {} });

  family.crash('a');
  const running = family.running;
  family.end('a', 'normal');

  expect({ running, after: family.running }).toEqual({ running: ['c#2', 'a#5', 'b#4'], after: ['c#2', 'b#4'] });
});

function cells(unders: readonly Under[], endings: readonly Ending[]): readonly { readonly under: Under; readonly ending: Ending }[] {
  return unders.flatMap((under) => endings.map((ending) => ({ under, ending })));
}

/** What is left of the one child of a supervisor when it has ended. */
async function outcome(
  under: Under,
  restart: Restart,
  ending: Ending,
): Promise<{ running: readonly string[]; counts: readonly unknown[] }> {
  const house = under === 'dynamic' ? await Nursery.start() : await Family.start({ a: { restart } }, { strategy: under });
  if (house instanceof Nursery) await house.add('a', { restart });
  if (ending === 'a kill') house.world.exit('@a', 'kill');
  else house.end('a', reasonOf(ending));
  return { running: house.running, counts: await house.counts() };
}

function reasonOf(ending: Exclude<Ending, 'a kill'>): ExitReason {
  if (ending === 'shutdown with a cause') return { shutdown: 'moved' };
  return ending === 'a crash' ? { error: { name: 'Error', message: 'crash' } } : ending;
}
