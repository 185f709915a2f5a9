/**
 * The supervisor of production under everything that the world can do to it, up to a bound; deeper by `npm run
 * explore:supervisor`. And two supervisors that lack a cure: what the search finds in them is what the cure is for.
 */
import { expect, test } from 'vitest';
import { BesiegedSupervisor, type Siege } from '../../support/otp/besieged-supervisor.ts';
import { deafSupervisor, forgetfulSupervisor } from '../../support/otp/broken-supervisors.ts';
import { describe as describeCounterexample, explore, replay } from '../../support/otp/exhaustive.ts';

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;

const alike: Omit<Siege, 'strategy'> = {
  restarts: ['permanent', 'permanent', 'permanent'],
  maxRestarts: 2,
  mishapsMax: 2,
  requestsMax: 0,
  mayFinish: false,
  mayStop: false,
};

test.each(STRATEGIES)('%s: three permanent children, two mishaps at any step, every order of delivery', async (strategy) => {
  expect(await search({ ...alike, strategy })).toBe('no fault');
});

test.each(STRATEGIES)('%s: three permanent children, one mishap and the order to stop at any step, every order', async (strategy) => {
  expect(await search({ ...alike, strategy, mishapsMax: 1, mayStop: true })).toBe('no fault');
});

test.each(STRATEGIES)(
  '%s: a transient, a permanent and a temporary child, two mishaps or ends at any step, every order',
  async (strategy) => {
    expect(await search({ ...alike, strategy, restarts: ['transient', 'permanent', 'temporary'], maxRestarts: 1, mayFinish: true })).toBe(
      'no fault',
    );
  },
);

test('rest_for_one: a permanent, a transient and a permanent child, a mishap and a request at any step, every order', async () => {
  const restarts = ['permanent', 'transient', 'permanent'] as const;
  expect(await search({ ...alike, strategy: 'rest_for_one', restarts, mishapsMax: 1, requestsMax: 1 })).toBe('no fault');
});

test.each([
  ['forgets who ended while it was busy', { ...alike, strategy: 'rest_for_one', make: forgetfulSupervisor }],
  [
    'drops the retry of a restart while it is busy',
    { ...alike, strategy: 'one_for_one', maxRestarts: 5, mishapsMax: 3, make: deafSupervisor },
  ],
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
