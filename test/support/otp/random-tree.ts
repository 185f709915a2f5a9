/** RandomTree: a supervision tree, what befalls it, and in which order its messages arrive, as values of fast-check. */
import * as fc from 'fast-check';
import type { ChildSpec, SupervisorSpec } from '../../../src/otp/supervision/child-spec.ts';
import { randomScheduler, replayScheduler, type ChoosingScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import { dynamicSupervisor } from '../../../src/otp/supervision/dynamic-supervisor.ts';
import { pctScheduler } from '../../../src/otp/schedulers/pct-scheduler.ts';
import { isFault, type ExitReason, type MachineSpec } from '../../../src/otp/process.ts';
import { supervisor } from '../../../src/otp/supervision/supervisor.ts';
import { asStart, citizenSpec, type Start } from './citizen.ts';

export interface TreePlan {
  readonly strategy: SupervisorSpec['strategy'];
  readonly maxRestarts: number;
  readonly maxSeconds: number;
  readonly autoShutdown: NonNullable<SupervisorSpec['autoShutdown']>;
  readonly children: readonly ChildPlan[];
}

export interface DynamicPlan {
  readonly maxRestarts: number;
  readonly maxSeconds: number;
  readonly maxChildren: number;
}

export interface ChildPlan {
  readonly restart: 'permanent' | 'transient' | 'temporary';
  readonly stubborn: boolean;
  readonly significant: boolean;
  /** How its starts go, counted over its incarnations under one supervisor; beyond the list it comes up. */
  readonly starts: readonly Start[];
  readonly below: TreePlan | DynamicPlan | null;
}

/** What happens from outside; `who` and `whom` pick two different ones of the living. */
export type Mishap = { readonly stepsBefore: number } & (
  | { readonly type: 'crash'; readonly who: number }
  | { readonly type: 'finish'; readonly who: number }
  | { readonly type: 'kill' | 'exit'; readonly who: number }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'monitor' | 'demonitor' | 'link' | 'unlink'; readonly who: number; readonly whom: number }
  | {
      readonly type: 'call';
      readonly who: number;
      readonly whom: number;
      readonly request: 'ask' | 'ponder';
      readonly timeoutMs: number | null;
    }
  | { readonly type: 'spawn' | 'start'; readonly who: number; readonly link: boolean; readonly monitor: boolean; readonly start: Start }
  | { readonly type: 'startChild'; readonly who: number; readonly restart: ChildPlan['restart']; readonly starts: readonly Start[] }
  | { readonly type: 'terminateChild' | 'restartChild' | 'deleteChild'; readonly who: number; readonly child: number }
);

/** Which of the messages under way is next. */
export type Order =
  | { readonly type: 'choices'; readonly choices: readonly number[] } // Shrinks towards the order of sending.
  | { readonly type: 'random'; readonly seed: number }
  | { readonly type: 'pct'; readonly seed: number; readonly depth: number };

export interface Fate {
  readonly tree: TreePlan;
  readonly mishaps: readonly Mishap[];
  readonly order: Order;
}

/** About as many choices as a run has. */
const CHOICES = 300;

const starts: fc.Arbitrary<readonly Start[]> = fc.oneof(
  {
    weight: 15,
    arbitrary: fc.array(fc.constantFrom<Start[]>('up', 'up', 'fail', 'ignore'), { maxLength: 4 }).map((later) => ['up' as const, ...later]),
  },
  { weight: 1, arbitrary: fc.array(fc.constantFrom<Start[]>('up', 'fail', 'ignore'), { maxLength: 2 }) },
);

const child = (below: fc.Arbitrary<ChildPlan['below']>): fc.Arbitrary<ChildPlan> =>
  fc.record({
    restart: fc.constantFrom('permanent', 'transient', 'temporary'),
    stubborn: fc.boolean(),
    significant: fc.boolean(),
    starts,
    below,
  });

const intensity = { maxRestarts: fc.nat(4), maxSeconds: fc.integer({ min: 1, max: 5 }) };

const tree = (below: fc.Arbitrary<ChildPlan['below']>): fc.Arbitrary<TreePlan> =>
  fc.record({
    ...intensity,
    strategy: fc.constantFrom('one_for_one', 'one_for_all', 'rest_for_one'),
    autoShutdown: fc.constantFrom('never', 'never', 'any_significant', 'all_significant'),
    children: fc.array(child(below), { minLength: 1, maxLength: 4 }),
  });

const dynamic: fc.Arbitrary<DynamicPlan> = fc.record({ ...intensity, maxChildren: fc.integer({ min: 1, max: 4 }) });

const who = fc.nat(20);
const stepsBefore = fc.nat(12);
const start = fc.constantFrom<Start[]>('up', 'up', 'up', 'ignore', 'fail');
const pair = { who, whom: who, stepsBefore };

const mishap: fc.Arbitrary<Mishap> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constantFrom('crash', 'crash', 'crash', 'finish'), who, stepsBefore }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('kill', 'exit'), who, stepsBefore }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('wait'), ms: fc.constantFrom(10, 100, 900, 1_900, 6_000), stepsBefore }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('monitor', 'demonitor', 'link', 'unlink'), ...pair }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('call'),
      ...pair,
      request: fc.constantFrom('ask', 'ponder'),
      timeoutMs: fc.constantFrom(null, 50, 1_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constantFrom('spawn', 'start'), who, link: fc.boolean(), monitor: fc.boolean(), start, stepsBefore }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('startChild'),
      who,
      restart: fc.constantFrom('permanent', 'transient', 'temporary'),
      starts,
      stepsBefore,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constantFrom('terminateChild', 'restartChild', 'deleteChild'), who, child: fc.nat(5), stepsBefore }),
  },
);

const seed = fc.integer({ min: 0, max: 2 ** 31 - 1 });

const order: fc.Arbitrary<Order> = fc.oneof(
  fc.record({ type: fc.constant('choices'), choices: fc.array(fc.nat(12), { maxLength: CHOICES, size: 'max' }) }),
  fc.record({ type: fc.constant('random'), seed }),
  fc.record({ type: fc.constant('pct'), seed, depth: fc.integer({ min: 1, max: 4 }) }),
);

export const fate: fc.Arbitrary<Fate> = fc.record({
  tree: tree(fc.option(fc.oneof(tree(fc.constant(null)), dynamic), { freq: 2 })),
  mishaps: fc.array(mishap, { maxLength: 24, size: 'max' }),
  order,
});

export function schedulerOf(wanted: Order): ChoosingScheduler {
  switch (wanted.type) {
    case 'choices':
      return replayScheduler(wanted.choices);
    case 'random':
      return randomScheduler(wanted.seed);
    case 'pct':
      return pctScheduler({ seed: wanted.seed, depth: wanted.depth, stepsMax: CHOICES });
  }
}

/** @returns what was planned of the supervisor `pid`; undefined when it is none. */
export function planOf(plan: TreePlan, pid: string): TreePlan | DynamicPlan | undefined {
  const [, ...ids] = pathOf(pid).split('/');
  return ids.reduce<TreePlan | DynamicPlan | undefined>((above, id) => {
    if (above === undefined || !('children' in above)) return undefined;
    return above.children.find((_, place) => id === `c${place}`)?.below ?? undefined;
  }, plan);
}

/** @returns what was planned of the child `pid` of a supervisor; undefined when it was asked for later, or is no child of it. */
export function plannedChild({ children }: TreePlan, supervisor: string, pid: string): ChildPlan | undefined {
  const path = pathOf(pid);
  return children.find((_, place) => path === `${pathOf(supervisor)}/c${place}`);
}

function pathOf(pid: string): string {
  return pid.slice(0, pid.lastIndexOf('#'));
}

/** OTP's table of restarts. */
export function mustComeBack({ restart }: ChildPlan, reason: ExitReason): boolean {
  return restart === 'permanent' || (restart === 'transient' && isFault(reason));
}

/** @param make the supervisor of production, unless a broken one is to be found. */
export function specOf({ children, ...plan }: TreePlan, make: (spec: SupervisorSpec) => MachineSpec = supervisor): MachineSpec {
  const specs = children.map((child, index) => childSpec(child, `c${index}`, plan.autoShutdown !== 'never', make));
  return make({ ...plan, children: specs, templates: { late: ({ id, ...args }) => ({ id: String(id), ...lateChild(args) }) } });
}

function childSpec(
  { restart, stubborn, significant, starts: plan, below }: ChildPlan,
  id: string,
  mayBeSignificant: boolean,
  make: typeof supervisor,
): ChildSpec {
  let count = 0;
  const begin = (): ReturnType<ChildSpec['start']> => {
    const how = plan[count] ?? 'up';
    count += 1;
    if (below === null || how !== 'up') return citizenSpec(how, { trapExit: stubborn });
    return 'children' in below ? specOf(below, make) : dynamicSupervisor({ ...below, templates: { late: lateChild } });
  };
  return {
    id, restart, start: begin,
    significant: significant && mayBeSignificant && restart !== 'permanent',
    ...(below === null ? { shutdown: 100 } : {}),
  };
}

/** A child that somebody asked for. */
function lateChild({ restart, starts: plan }: Readonly<Record<string, unknown>>): Omit<ChildSpec, 'id'> {
  const ways: readonly unknown[] = Array.isArray(plan) ? plan : [];
  let count = 0;
  return {
    restart: restart === 'permanent' || restart === 'transient' ? restart : 'temporary',
    shutdown: 100,
    start: () => citizenSpec(asStart(ways[count++])),
  };
}
