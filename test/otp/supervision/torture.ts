/**
 * The random fates of `random-trees.test.ts`, as many as are asked for: `npm run torture:otp -- --runs 20000`. A run that
 * fails prints its seed and path; `--seed` and `--path` play it again and tell the whole of it.
 */
import { parseArgs } from 'node:util';
import * as fc from 'fast-check';
import { systemClock } from '../../../src/base/clock.ts';
import { systemRandom } from '../../../src/base/random.ts';
import { toTraceLine } from '../../../src/otp/kernel/trace.ts';
import { chronicle } from '../../support/otp/chronicle.ts';
import { fate } from '../../support/otp/random-tree.ts';
import { verdictOn } from '../../support/otp/verdict.ts';

const REPORTS = 20;

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '20000' }, seed: { type: 'string' }, path: { type: 'string' } },
});
const numRuns = Number(values.runs);
const seed = values.seed === undefined ? systemRandom.below(2 ** 31) : Number(values.seed);
const beganMs = systemClock.nowMs();
let [lived, steps] = [0, 0];

const property = fc.asyncProperty(fate, async (one) => {
  const told = await chronicle(one);
  lived += 1;
  steps += told.records.length;
  if (lived % Math.ceil(numRuns / REPORTS) === 0) console.info(`${lived} fates, ${steps} records, ${seconds()} s`);
  const wrong = verdictOn(one, told);
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
});

console.info(`${numRuns} fates from seed ${seed}`);
const { failed, counterexample, counterexamplePath, errorInstance, numShrinks } = await fc.check(property, {
  seed, numRuns, ...(values.path === undefined ? {} : { path: values.path, endOnFailure: true }),
});
if (failed && counterexample !== null) {
  process.exitCode = 1;
  const { records, choices } = await chronicle(counterexample[0]);
  if (values.path !== undefined) records.forEach((record) => console.info(toTraceLine(record)));
  console.error(`${JSON.stringify(counterexample[0])}\nchoices: ${choices.join()}\n${String(errorInstance)}\nafter ${numShrinks} shrinks`);
  console.error(`again: npm run torture:otp -- --seed ${seed} --path ${counterexamplePath}`);
} else {
  console.info(`${lived} fates, ${steps} records, ${seconds()} s: no promise broken`);
}

function seconds(): number {
  return Math.round((systemClock.nowMs() - beganMs) / 1000);
}
