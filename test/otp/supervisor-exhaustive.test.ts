/**
 * The supervisor of production under everything that the world can do to it, up to a bound; deeper by `npm run
 * explore:supervisor`. And two supervisors that lack a cure: what the search finds in them is what the cure is for.
 */
import { expect, test } from 'vitest';
import type { SupervisorSpec } from '../../src/otp/child-spec.ts';
import { ChildTable, type ChildChange, type ChildNews } from '../../src/otp/child-table.ts';
import type { MachineSpec } from '../../src/otp/process.ts';
import { supervisor } from '../../src/otp/supervisor.ts';
import { stateAt, withConfig } from '../support/machine-config.ts';
import { BesiegedSupervisor, type Siege } from './support/besieged-supervisor.ts';
import { describe as describeCounterexample, explore, replay } from './support/exhaustive.ts';

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;

const alike: Omit<Siege, 'strategy'> = { restarts: ['permanent', 'permanent', 'permanent'], maxRestarts: 2, mishapsMax: 2, mayFinish: false, mayStop: false };

test.each(STRATEGIES)('%s: three permanent children, two mishaps at any step, every order of delivery', async (strategy) => {
  expect(await search({ ...alike, strategy })).toBe('no fault');
});

test.each(STRATEGIES)('%s: three permanent children, one mishap and the order to stop at any step, every order', async (strategy) => {
  expect(await search({ ...alike, strategy, mishapsMax: 1, mayStop: true })).toBe('no fault');
});

test.each(STRATEGIES)('%s: a transient, a permanent and a temporary child, two mishaps or ends at any step, every order', async (strategy) => {
  expect(await search({ ...alike, strategy, restarts: ['transient', 'permanent', 'temporary'], maxRestarts: 1, mayFinish: true })).toBe('no fault');
});

/** Looks at the ends that were kept, and makes nothing of them. */
class ForgetfulTable extends ChildTable {
  override apply(change: ChildChange): ChildNews | undefined {
    const news = super.apply(change);
    return news?.type === 'child.kept' ? undefined : news;
  }
}

function forgetful(spec: SupervisorSpec): MachineSpec {
  return { ...supervisor(spec), tables: () => ({ children: new ForgetfulTable(spec) }) };
}

/** One that is busy does not hear that a restart must be tried again. */
function hardOfHearing(spec: SupervisorSpec): MachineSpec {
  const made = supervisor(spec);
  const machine = withConfig(made.machine, (config) => delete stateAt(config, '').on?.['restart.retry']);
  return { ...made, machine };
}

test.each([
  ['forgets who ended while it was busy', { ...alike, strategy: 'rest_for_one', make: forgetful }],
  ['drops the retry of a restart while it is busy', { ...alike, strategy: 'one_for_one', maxRestarts: 5, mishapsMax: 3, make: hardOfHearing }],
] as const)('a supervisor that %s is found out, and the choices show it again', async (_, siege) => {
  const begin = () => new BesiegedSupervisor(siege);

  const { counterexample } = await explore(begin);

  const again = replay(begin, counterexample?.choices ?? []);
  expect({ found: counterexample?.fault, again }).toEqual({ found: 'a should run, and does not', again: counterexample });
});

async function search(siege: Siege): Promise<string> {
  const { states, transitions, paths, counterexample } = await explore(() => new BesiegedSupervisor(siege));
  console.info(`${siege.strategy}: ${states} states, ${transitions} transitions, ${paths} paths`);
  return counterexample === undefined ? 'no fault' : describeCounterexample(counterexample);
}
