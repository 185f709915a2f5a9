/** RandomTree: a supervision tree, what befalls it, and in which order its messages arrive, as values of fast-check. */
import * as fc from 'fast-check';
import type { ChildSpec, SupervisorSpec } from '../../../src/otp/child-spec.ts';
import type { MachineSpec } from '../../../src/otp/process.ts';
import { supervisor } from '../../../src/otp/supervisor.ts';
import { puppetSpec } from './puppet.ts';

export interface TreePlan {
  readonly strategy: SupervisorSpec['strategy'];
  readonly maxRestarts: number;
  readonly children: readonly ChildPlan[];
}

export interface ChildPlan {
  readonly restart: 'permanent' | 'transient' | 'temporary';
  readonly stubborn: boolean;
  /** Of its starts, counted over all its incarnations, these fail; the first never does. */
  readonly failsAt: readonly number[];
  readonly below: TreePlan | null;
}

/** What happens from outside; `victim` picks one of the living. */
export type Mishap =
  | { readonly type: 'crash' | 'kill' | 'finish'; readonly victim: number; readonly stepsBefore: number }
  | { readonly type: 'wait'; readonly ms: number; readonly stepsBefore: number };

export interface Fate {
  readonly tree: TreePlan;
  readonly mishaps: readonly Mishap[];
  /** For `replayScheduler`: shrinks towards delivery in the order of sending. */
  readonly choices: readonly number[];
}

const child = (below: fc.Arbitrary<TreePlan | null>): fc.Arbitrary<ChildPlan> =>
  fc.record({
    restart: fc.constantFrom('permanent', 'transient', 'temporary'),
    stubborn: fc.boolean(),
    failsAt: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 2 }),
    below,
  });

const tree = (below: fc.Arbitrary<TreePlan | null>): fc.Arbitrary<TreePlan> =>
  fc.record({
    strategy: fc.constantFrom('one_for_one', 'one_for_all', 'rest_for_one'),
    maxRestarts: fc.nat(4),
    children: fc.array(child(below), { minLength: 1, maxLength: 4 }),
  });

const stepsBefore = fc.nat(12);

const mishap: fc.Arbitrary<Mishap> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('crash' as const), victim: fc.nat(20), stepsBefore }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('kill' as const), victim: fc.nat(20), stepsBefore }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('finish' as const), victim: fc.nat(20), stepsBefore }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.constantFrom(10, 100, 1_000, 6_000), stepsBefore }) },
);

export const fate: fc.Arbitrary<Fate> = fc.record({
  tree: tree(fc.option(tree(fc.constant(null)), { freq: 2 })),
  mishaps: fc.array(mishap, { maxLength: 12 }),
  choices: fc.array(fc.nat(12), { maxLength: 250, size: 'max' }),
});

export function specOf({ strategy, maxRestarts, children }: TreePlan): MachineSpec {
  return supervisor({ strategy, maxRestarts, maxSeconds: 5, children: children.map((plan, index) => childSpec(plan, `c${index}`)) });
}

function childSpec({ restart, stubborn, failsAt, below }: ChildPlan, id: string): ChildSpec {
  let starts = 0;
  const start = (): ReturnType<ChildSpec['start']> => {
    starts += 1;
    if (failsAt.includes(starts - 1)) throw new Error(`start ${starts} of ${id} fails`);
    return below === null ? puppetSpec({ trapExit: stubborn }) : specOf(below);
  };
  return below === null ? { id, restart, start, shutdown: 100 } : { id, restart, start };
}
