/** Errand: one search of `npm run explore`, in a process of its own. What it finds is told as text. */
import { systemClock } from '../../src/base/clock.ts';
import { differenceOn } from './agreement.ts';
import { search, type Findings } from './checker/search.ts';
import { sequenceChart } from './checker/sequence-chart.ts';
import { scenarioOf, writeScenario } from './replay/scenario.ts';
import { withSystem, type Setting } from './systems.ts';

export interface Errand {
  readonly what: string;
  readonly setting: Setting;
  readonly statesMax: number;
  /** How many random walks are taken instead of a search; none where there is to be one. */
  readonly walks: number;
  readonly firstSeed: number;
}

const errand = JSON.parse(process.argv[2] ?? '') as Errand;
console.info(`\n${errand.what}\n   ${JSON.stringify(errand.setting.bounds)}`);
await (errand.walks > 0 ? walk(errand) : explore(errand));

async function explore({ setting, statesMax }: Errand): Promise<void> {
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

async function walk({ setting, walks, firstSeed }: Errand): Promise<void> {
  for (let seed = firstSeed; seed < firstSeed + walks; seed += 1) {
    const difference = await withSystem(setting, (system) => differenceOn(system, system, seed));
    if (difference === undefined) continue;
    console.error(`seed ${seed}: ${JSON.stringify(difference, undefined, 2)}`);
    process.exitCode = 1;
    return;
  }
  console.info(`   ${walks} walks from seed ${firstSeed}: the runtime goes through the same states`);
}
