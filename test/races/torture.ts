/**
 * Random orders of delivery through two layers of shapes, with kills: `npm run torture:shapes -- --runs 2000 --seed 1`. With `--lives`
 * shapes come and go, the inner ones too, and whoever makes them is struck. A run that breaks a property is printed with its script, and
 * with the seed and the number that make it again: `--only N`.
 */
import fc from 'fast-check';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import { anyLives, anyScript } from '../support/layers/layered-scripts.ts';
import { violations } from './layer-violations.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    lives: { type: 'boolean', default: false },
    'row-by-row': { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const ROW = { fillBytes: 1, wholeBytesMax: 1 };
const options = values['row-by-row'] ? { blocks: { common: ROW, own: ROW } } : {};
const beganMs = systemClock.nowMs();
const scripts = fc.sample(values.lives ? anyLives : anyScript, { numRuns: Number(values.runs), seed });
let broken = 0;

for (const [index, script] of scripts.entries()) {
  if (values.only !== undefined && index !== Number(values.only)) continue;
  const found = await violations(script, options);
  if (found.length === 0) continue;
  broken += 1;
  console.error(`seed ${seed}, run ${index}: ${JSON.stringify(found, undefined, 2)}\n${JSON.stringify(script)}`);
}

const seconds = Math.round((systemClock.nowMs() - beganMs) / 1_000);
console.info(`seed ${seed}: ${scripts.length} orders of delivery in ${seconds} s: ${broken} broke a property`);
process.exitCode = broken === 0 ? 0 : 1;
