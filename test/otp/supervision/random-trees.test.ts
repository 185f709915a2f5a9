/**
 * Random trees, mishaps and orders of delivery: chosen, random, and by priorities. A failing run shrinks to a small tree
 * and few mishaps, and is played again by giving fast-check the seed and path that it prints; many more of them by
 * `npm run torture:otp`.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { forgetfulSupervisor } from '../../support/otp/broken-supervisors.ts';
import { chronicle } from '../../support/otp/chronicle.ts';
import { fate, type Fate } from '../../support/otp/random-tree.ts';
import { verdictOn } from '../../support/otp/verdict.ts';

const RUNS = 600;
/** Within which the one that forgets is found. */
const CONTROL_RUNS = 2_000;

test(`in ${RUNS} random fates every promise is kept`, async () => {
  await fc.assert(
    fc.asyncProperty(fate, async (lived) => {
      expect(verdictOn(lived, await chronicle(lived))).toEqual([]);
    }),
    { numRuns: RUNS },
  );
}, 240_000);

const keptByTheForgetful = fc.asyncProperty(
  fate,
  async (lived) => verdictOn(lived, await chronicle(lived, forgetfulSupervisor)).length === 0,
);

test('a supervisor that forgets is found out, and its seed and path show the same again', async () => {
  const found = await fc.check(keptByTheForgetful, { seed: 1, numRuns: CONTROL_RUNS });
  const again = await fc.check(keptByTheForgetful, { seed: found.seed, path: found.counterexamplePath ?? '', endOnFailure: true });

  expect({ found: found.failed, again: again.counterexample, runs: again.numRuns }).toEqual({
    found: true,
    again: found.counterexample,
    runs: 1,
  });
});

test('what was found is played again from the choices of its deliveries', async () => {
  const { counterexample } = await fc.check(keptByTheForgetful, { seed: 2, numRuns: CONTROL_RUNS });
  const lived = counterexample?.[0];
  const told = lived && (await chronicle(lived, forgetfulSupervisor));
  const chosen: Fate | undefined = lived && told && { ...lived, order: { type: 'choices', choices: told.choices } };

  expect(chosen && (await chronicle(chosen, forgetfulSupervisor)).records).toEqual(told?.records);
});
