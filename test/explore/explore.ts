/**
 * `npm run explore`: every state of every system, to the bounds of `bounds.ts`, one search after the other; but those in which somebody
 * has yet to take what may be taken at once.
 *
 * - `-- --system a` searches one system alone.
 * - `-- --bound 1` goes deeper: by one transaction, with 2 by one kill as well, and so on.
 * - `-- --walks 100 --seed 7` takes random walks instead, and has the production runtime take the same: within each of those bounds,
 *   100 seeds from the seventh on.
 * - `-- --states 1000000` says after how many states to give up.
 *
 * What is found is drawn and kept as a scenario, and the command fails.
 */
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import { differenceOn } from './agreement.ts';
import { BOUNDS, type Letter } from './bounds.ts';
import { search, type Findings } from './checker/search.ts';
import { sequenceChart } from './checker/sequence-chart.ts';
import { scenarioOf, writeScenario } from './replay/scenario.ts';
import { withSystem, type Setting } from './systems.ts';

const { values } = parseArgs({
  options: {
    system: { type: 'string' },
    bound: { type: 'string', default: '0' },
    states: { type: 'string', default: '50000000' },
    walks: { type: 'string', default: '0' },
    seed: { type: 'string', default: '0' },
  },
});
const statesMax = Number(values.states);
const deeper = Number(values.bound);
const walks = Number(values.walks);
const firstSeed = Number(values.seed);

for (const letter of lettersOf(values.system)) {
  for (const { what, setting } of BOUNDS[letter]) {
    console.info(`\n${letter}: ${what}\n   ${JSON.stringify(setting(deeper).bounds)}`);
    if (walks > 0) await walk(setting(deeper));
    else await explore(setting(deeper));
  }
}

function lettersOf(name: string | undefined): readonly Letter[] {
  const letters = Object.keys(BOUNDS) as Letter[];
  const named = letters.filter((letter) => name === undefined || letter === name);
  if (named.length === 0) throw new RangeError(`--system is one of ${letters.join(', ')}`);
  return named;
}

async function explore(setting: Setting): Promise<void> {
  const [beganMs, cpu] = [systemClock.nowMs(), process.cpuUsage()];
  const findings = await withSystem(setting, (system) => search(system, statesMax, 'prompt'));
  const { user, system } = process.cpuUsage(cpu);
  tell(findings, (systemClock.nowMs() - beganMs) / 1000, (user + system) / 1_000_000);
  const { counterexample, isExhausted } = findings;
  if (counterexample !== undefined) {
    console.error(sequenceChart(counterexample));
    console.error(`kept as ${writeScenario(scenarioOf(setting, counterexample))}`);
  }
  if (counterexample !== undefined || !isExhausted) process.exitCode = 1;
}

function tell(findings: Findings, seconds: number, cpuSeconds: number): void {
  const { states, edges, asleep, evaluations, bytesPerState, parts, isExhausted } = findings;
  console.info(`   ${states} states${isExhausted ? ', all of them' : ' of more'}; ${edges} edges, and ${asleep} left out`);
  console.info(`   ${evaluations} local evaluations, ${bytesPerState} bytes per state`);
  console.info(`   ${Object.entries(parts).map(([name, count]) => `${count} ${name}`).join(', ')}`);
  const rate = Math.round(edges / cpuSeconds);
  console.info(`   ${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of one core: ${rate} edges per second and core`);
}

async function walk(setting: Setting): Promise<void> {
  for (let seed = firstSeed; seed < firstSeed + walks; seed += 1) {
    const difference = await withSystem(setting, (system) => differenceOn(system, system, seed));
    if (difference === undefined) continue;
    console.error(`seed ${seed}: ${JSON.stringify(difference, undefined, 2)}`);
    process.exitCode = 1;
    return;
  }
  console.info(`   ${walks} walks from seed ${firstSeed}: the runtime goes through the same states`);
}
