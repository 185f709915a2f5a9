/**
 * Refusals after the n-th change of the disk, for every n, and after the n-th look at it: a workload runs while some of these are
 * refused, with each code that they may have; then the disk takes everything again. Nobody ends for it, and nothing is lost or doubled;
 * nor when the power goes in between.
 */
import { CrashWorld, type Step, type Violation } from './crash-world.ts';
import type { Refusals } from './memory-disk.ts';

export const REFUSAL_CODES = ['ENOSPC', 'EIO', 'EROFS', 'EMFILE'] as const;
/** One change alone, a few, and more than one attempt has. */
export const REFUSAL_COUNTS = [1, 3, 20] as const;

/** What a process lives through: where it ends in a workload, another one tells of that. */
export function livingSteps(steps: readonly Step[]): readonly Step[] {
  return steps.filter(({ do: step }) => step !== 'fail' && step !== 'crash');
}

/** How many operations of the disk a workload makes. */
export async function operationsOf(steps: readonly Step[], of: Refusals['of']): Promise<number> {
  const world = CrashWorld.watched();
  let begun = 0;
  await world.run(steps, () => (begun = world.disk.asked[of]));
  return world.disk.asked[of] - begun;
}

/**
 * @param plan counts from when the storage is open.
 * @param cutsEvery the power goes, in a copy, before every such change behind the first refusal; 0 for never.
 */
export async function violationsUnder(steps: readonly Step[], plan: Refusals, cutsEvery = 0): Promise<readonly Violation[]> {
  const world = CrashWorld.watched();
  const moments: CrashWorld[] = [];
  let count = 0;
  world.disk.beforeChange = () => {
    if (cutsEvery === 0 || !world.disk.isRefusing) return;
    if (count % cutsEvery === 0) moments.push(world.copy(count));
    count += 1;
  };
  const found = [...(await world.run(steps, () => world.disk.refuse({ ...plan, from: world.disk.asked[plan.of] + plan.from })))];
  for (const moment of moments) found.push(...(await moment.cut().catch((error: unknown) => [`it does not come back: ${String(error)}`])));
  return found.map((violation) => `${plan.count} × ${plan.code} for ${plan.of} from ${plan.from} on: ${violation}`);
}
