/** Trial: what becomes of a scenario in the search and on the runtime, and there once more with every cure in place. */
import { replay, retrace, type Replayed } from './replay/replay.ts';
import type { Scenario } from './scenario.ts';
import { withSystem } from './systems.ts';
import type { Violation } from './checker/system.ts';

export interface Trial {
  readonly searched: Replayed;
  readonly ran: Replayed;
  /** What is wrong on the same way, as far as it can be taken, when no cure is missing. */
  readonly cured: Violation | undefined;
}

export async function trialOf({ turns, control, ...setting }: Scenario): Promise<Trial> {
  const searched = await withSystem({ ...setting, control }, (system) => retrace(system, turns));
  const ran = await withSystem({ ...setting, control }, (system) => replay(system, turns));
  const { violation: cured } = await withSystem(setting, (system) => replay(system, turns));
  return { searched, ran, cured };
}

/** All of the way can be taken, and at its end that is wrong which the scenario says; with the cure nothing is. */
export function proofOf({ property, what, turns }: Scenario): Trial {
  const asTold = { violation: { property, what }, taken: turns.length, missed: [] };
  return { searched: asTold, ran: asTold, cured: undefined };
}
