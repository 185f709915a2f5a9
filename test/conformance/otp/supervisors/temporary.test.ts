/** Temporary children come and go: nothing of them stays with their supervisor, and many cost what many cost. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import type { ChildSpec, Restart } from '../../../../src/otp/supervision/child-spec.ts';
import { SupervisionTable } from '../../../../src/otp/supervision/supervision-table.ts';
import type { Address, Message, Pid, ProcessSpec } from '../../../../src/otp/process.ts';
import { createRuntime, type Runtime } from '../../../../src/otp/runtime.ts';
import { Family, familySpec, type ChildPlan } from '../../../support/otp/family.ts';
import { Nursery, nurserySpec } from '../../../support/otp/nursery.ts';
import { puppetSpec } from '../../../support/otp/puppet.ts';
import type { World } from '../../../support/otp/world.ts';

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;
const LARGE = 'x'.repeat(10_000);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('what the supervisor still holds', () => {
  test.each([...STRATEGIES, 'dynamic'] as const)(
    'S5-114 %s: while a temporary child runs, nothing of what it was started with; of the others it does',
    async (under) => {
      const ballasts: WeakRef<object>[] = [];
      const templates = { large: ({ restart }: Message) => largeChild(restart as Restart, ballasts) };
      const house = under === 'dynamic' ? await Nursery.start({ templates }) : await Family.start({}, { strategy: under, templates });
      for (const restart of ['permanent', 'transient', 'temporary']) {
        await house.ask({ type: 'startChild', template: 'large', args: { type: 'args', restart } });
      }
      await house.world.settle();

    collectGarbage();

      expect({ held: ballasts.map((ballast) => ballast.deref() !== undefined), counts: await house.counts() }).toEqual({
        held: [true, true, false],
        counts: [3, 3, 0, 3],
      });
    },
  );

  test.each(STRATEGIES)(
    'S5-114 S5-116 %s: nothing of a hundred temporary children with large arguments, everything of the others',
    async (strategy) => {
      const family = await Family.start({}, { strategy });
      const fresh = textOf(family.world, family.pid);

      for (let index = 0; index < 100; index += 1) {
        await family.ask({ type: 'startChild', template: 'puppet', args: largeArgs(`t${index}`, { restart: 'temporary' }) });
      }
      for (let index = 0; index < 100; index += 1) family.end(`t${index}`, 'normal');

    expect({ rows: rowsOf(family.world, family.pid), text: textOf(family.world, family.pid) }).toEqual({ rows: [], text: fresh });
  });

  test('S5-114 dynamic: likewise', async () => {
    const nursery = await Nursery.start();

    for (let index = 0; index < 100; index += 1) await nursery.add(`t${index}`, { restart: 'temporary' });
    for (let index = 0; index < 100; index += 1) nursery.end(`t${index}`, 'normal');

    expect({ rows: rowsOf(nursery.world, nursery.pid), counts: await nursery.counts() }).toEqual({ rows: [], counts: [0, 0, 0, 0] });
  });

  test('S5-115 dynamic: also after the first death, and beside a permanent child', async () => {
    const nursery = await Nursery.start();
    await nursery.add('kept');
    for (const id of ['first', 'second']) {
      await nursery.ask({ type: 'startChild', template: 'puppet', args: largeArgs(id, { restart: 'temporary' }) });
      nursery.end(id, 'killed');
    }

    expect(rowsOf(nursery.world, nursery.pid)).toEqual(['kept']);
  });

  const ways = ['normal', 'a crash', 'a kill', 'terminateChild'] as const;

  test.each(STRATEGIES.flatMap((strategy) => ways.map((way) => [strategy, way] as const)))(
    "S5-116 %s, %s: a temporary child's specification goes, others stay",
    async (strategy, way) => {
      const plans = { t: { restart: 'temporary' }, p: {}, q: { restart: 'transient' } } as const;
      const family = await Family.start(plans, { strategy, maxRestarts: 9 });

    for (const id of ['q', 'p', 't']) await endBy(way, family, id);

    expect(rowsOf(family.world, family.pid)).toEqual(['p', 'q']);
  });
});

describe('how much many cost', () => {
  test('S5-117 S6-027 dynamic: 10,000 come and go for ten times the messages of 1,000, and nothing is left of them', async () => {
    const few = await comeAndGo(nurserySpec(), 1_000);
    const many = await comeAndGo(nurserySpec(), 10_000);

    expect({ ratio: Math.round(many.handled / few.handled), slow: many.ms > 50 * Math.max(few.ms, 1), left: many.left }).toEqual({
      ratio: 10,
      slow: false,
      left: 0,
    });
  });

  test('S5-117 static: 10,000 that come and go one after the other take ten times the messages of 1,000', async () => {
    const few = await comeAndGo(familySpec({}), 1_000, 1);
    const many = await comeAndGo(familySpec({}), 10_000, 1);

    expect({ ratio: Math.round(many.handled / few.handled), slow: many.ms > 50 * Math.max(few.ms, 1), left: many.left }).toEqual({
      ratio: 10,
      slow: false,
      left: 0,
    });
  });
});

/** The function that starts it holds on to what it was asked for with. */
function largeChild(restart: Restart, ballasts: WeakRef<object>[]): ChildSpec {
  const ballast = { text: LARGE };
  ballasts.push(new WeakRef(ballast));
  return { id: restart, restart, start: () => puppetSpec({ label: ballast.text.slice(0, 1) }) };
}

test('S5-117 static: a child that is asked for beside a thousand others takes as many messages as beside ten', async () => {
  const few = await comeAndGo(familySpec({}), 10);
  const many = await comeAndGo(familySpec({}), 1_000);

  expect(many.handled / 1_000).toBeLessThan(2 * (few.handled / 10));
});

interface Passage {
  /** Messages that the supervisor has handled. */
  readonly handled: number;
  readonly ms: number;
  readonly left: number;
}

/** Lets so many temporary children come, so many of them side by side, and finish, in production's order. */
async function comeAndGo(spec: ProcessSpec, count: number, sideBySide = count): Promise<Passage> {
  const runtime = createRuntime();
  const sup = await runtime.start(spec, { id: 'sup' });
  const startedMs = systemClock.nowMs();
  for (let done = 0; done < count; done += sideBySide) {
    await Promise.all(Array.from({ length: sideBySide }, (_, index) => comeAndGoOnce(runtime, sup, `t${done + index}`)));
  }
  const { specs } = await runtime.call(sup, { type: 'countChildren' });
  const { handled = 0 } = runtime.processInfo(sup) ?? {};
  await runtime.stop(sup);
  return { handled, ms: systemClock.nowMs() - startedMs, left: Number(specs) };
}

async function comeAndGoOnce(runtime: Runtime, sup: Pid, id: string): Promise<void> {
  await runtime.call(sup, { type: 'startChild', template: 'puppet', args: { type: 'args', id, plan: { restart: 'temporary' } } });
  const ended = runtime.whenDown(`@${id}`);
  runtime.send(`@${id}`, { type: 'finish' });
  await ended;
}

function largeArgs(id: string, plan: ChildPlan) {
  return { type: 'args', id, plan, ballast: LARGE };
}

async function endBy(way: 'normal' | 'a crash' | 'a kill' | 'terminateChild', family: Family, id: string): Promise<void> {
  if (way === 'terminateChild') await family.ask({ type: 'terminateChild', id });
  else if (way === 'a kill') family.world.exit(`@${id}`, 'kill');
  else family.end(id, way === 'normal' ? 'normal' : { error: { name: 'Error', message: 'crash' } });
}

function rowsOf(world: World, supervisor: Address): readonly string[] {
  const table = world.runtime.tableOf(supervisor, 'children');
  return table instanceof SupervisionTable ? Array.from(table.rows.all(), ({ id }) => id).sort() : ['no table'];
}

function textOf(world: World, supervisor: Address): string | undefined {
  return world.runtime.tableOf(supervisor, 'children')?.key();
}
