/** What a storage goes through in its life: one with all of it in it, and others by their seed. */
import type { Random } from '../../../src/base/random.ts';
import type { Mishap } from '../damages.ts';
import { KINDS, WISHES, type Wish } from './table.ts';
import { WholeWorld, type Act, type Violation, type WholeStep } from './whole-world.ts';

const transaction = (of: Wish): Act => ({ do: 'transaction', of });
const taken = (of: Wish): readonly Act[] => [transaction(of), { do: 'apply' }];

/** Every kind of shape, and all that befalls one; with what is under way meanwhile. */
export const WHOLE_LIFE: readonly WholeStep[] = [
  transaction('few'), ...taken('few'),
  { do: 'create', kind: 'inner' }, { do: 'create', kind: 'outer' }, { do: 'create', kind: 'plain' },
  ...taken('hot'), ...taken('move'),
  { do: 'begin snapshot', kind: 'controls' },
  ...taken('hot'), { do: 'go on with snapshots' },
  { do: 'checkpoint' }, { do: 'read' },
  ...taken('large'), { do: 'complete snapshots' },
  ...taken('control'), { do: 'open transaction' }, { do: 'sync' },
  { do: 'compact' }, { do: 'read' },
  ...taken('hot'), ...taken('move'), ...taken('hot'),
  {
    do: 'meanwhile', first: { do: 'checkpoint' }, turns: 30,
    then: [...taken('few'), { do: 'delete', kind: 'plain' }, { do: 'create', kind: 'plain' }],
  },
  { do: 'request' }, { do: 'delete', kind: 'plain' }, { do: 'settle' },
  { do: 'end of a process', isInGoodOrder: false },
  ...taken('hot'), ...taken('large'), ...taken('move'),
  { do: 'compact' }, { do: 'read' },
  { do: 'meanwhile', first: { do: 'replace', kind: 'inner' }, turns: 12, then: [transaction('hot'), { do: 'checkpoint' }] },
  ...taken('hot'), { do: 'checkpoint' }, { do: 'read' },
  { do: 'end of a process', isInGoodOrder: true },
  { do: 'create', kind: 'outer' }, ...taken('move'),
  { do: 'checkpoint' },
];

const KINDS_OF_ACTS = ['create', 'create', 'begin snapshot', 'delete', 'replace'] as const;
const PLAIN_ACTS = [
  'apply', 'apply', 'apply', 'checkpoint', 'checkpoint', 'compact', 'read', 'sync', 'settle', 'request', 'open transaction',
  'go on with snapshots', 'complete snapshots',
] as const;
const STEPS = 30;

export function randomLife(random: Random): readonly WholeStep[] {
  const begin: readonly WholeStep[] = [...taken('few'), ...KINDS.map((kind) => ({ do: 'create', kind }) as const), ...taken('hot')];
  return [...begin, ...Array.from({ length: STEPS }, () => randomStep(random))];
}

function randomStep(random: Random): WholeStep {
  const kind = random.below(12);
  if (kind === 0) return { do: 'end of a process', isInGoodOrder: random.below(3) === 0 };
  if (kind > 2) return randomAct(random);
  const then = Array.from({ length: 1 + random.below(4) }, () => randomAct(random));
  return { do: 'meanwhile', first: randomAct(random), turns: random.below(60), then };
}

function randomAct(random: Random): Act {
  const kind = random.below(10);
  if (kind < 4) return { do: 'transaction', of: pick(WISHES, random) };
  if (kind < 6) return { do: pick(KINDS_OF_ACTS, random), kind: pick(KINDS, random) };
  return { do: pick(PLAIN_ACTS, random) };
}

function pick<Item>(items: readonly [Item, ...Item[]], random: Random): Item {
  return items[random.below(items.length)] ?? items[0];
}

export interface Circumstances {
  /** Nothing counts as promised before the witness of the log tells of it. */
  readonly isPatient?: boolean;
  /** Files of which the disk forgets syncs: a fault, for what must be found. */
  readonly forgetting?: RegExp;
}

/** A workload at the moment before each change of the disk. */
export async function momentsOf(
  steps: readonly WholeStep[],
  { isPatient = false, forgetting }: Circumstances = {},
): Promise<{ readonly moments: readonly WholeWorld[]; readonly violations: readonly Violation[] }> {
  const world = WholeWorld.fresh(0, isPatient);
  world.disk.forgetsSyncsOf = forgetting;
  const moments: WholeWorld[] = [];
  world.disk.beforeChange = () => void moments.push(world.copy(moments.length));
  const violations = await world.run(steps).catch(said);
  return { moments, violations };
}

export type End = Parameters<WholeWorld['end']>[0];

/**
 * @param ends how a life ends, one after the other: each but the first while what the one before left is being recovered, at one of the
 * changes of that.
 * @returns what this breaks.
 */
export async function endAt(moment: WholeWorld, [first, ...others]: readonly [End, ...End[]], seed: number): Promise<readonly Violation[]> {
  const [next, ...last] = others;
  let within: WholeWorld | undefined;
  let count = 0;
  const choose = (world: WholeWorld): void => {
    count += 1;
    if (next !== undefined && (seed + count * 7) % count === 0) within = world.copy(seed + count);
  };
  const violations = await moment.copy(seed).end(first, choose).catch(said);
  const deeper = next === undefined || within === undefined ? [] : await endAt(within, [next, ...last], seed + 1);
  return [...violations, ...deeper].map((violation) => `by ${first} (seed ${seed}): ${violation}`);
}

/** @returns what each mishap at this moment breaks. */
export async function damagedAt(moment: WholeWorld, all: Iterable<Mishap>): Promise<readonly Violation[]> {
  const found: Violation[] = [];
  for (const { name, befall } of all) {
    const violations = await moment.copy(0).survive(befall).catch(said);
    found.push(...violations.map((violation) => `${name}: ${violation}`));
  }
  return found;
}

function said(error: unknown): Violation[] {
  return [`it ends: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`];
}
