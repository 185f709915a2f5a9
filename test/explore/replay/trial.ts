/** Trial: what becomes of a scenario in the search and on the runtime, with every cure in place and without the one that it names. */
import { replay, retrace, type Replayed } from './replay.ts';
import type { Scenario } from './scenario.ts';
import { withSystem, type Setting } from '../systems.ts';

interface Trial {
  /** Undefined for a scenario that names no cure: its bug was mended since. */
  readonly broken: Both | undefined;
  /** As far as the way can be taken there. */
  readonly cured: { readonly [On in keyof Both]: Replayed['violation'] };
}

interface Both {
  readonly searched: Replayed;
  readonly ran: Replayed;
}

export async function trialOf(scenario: Scenario): Promise<Trial> {
  const { control, turns, ...cured } = scenario;
  const { searched, ran } = await both(cured, turns);
  return {
    broken: control === undefined ? undefined : await both(scenario, turns),
    cured: { searched: searched.violation, ran: ran.violation },
  };
}

async function both(setting: Setting, turns: Scenario['turns']): Promise<Both> {
  return {
    searched: await withSystem(setting, (system) => retrace(system, turns)),
    ran: await withSystem(setting, (system) => replay(system, turns)),
  };
}

/** Without the cure all of the way can be taken, and at its end that is wrong which the scenario says; with it nothing is. */
export function proofOf({ control, property, what, turns }: Scenario): Trial {
  const asTold = { violation: { property, what }, taken: turns.length, missed: [] };
  const broken = control === undefined ? undefined : { searched: asTold, ran: asTold };
  return { broken, cured: { searched: undefined, ran: undefined } };
}
