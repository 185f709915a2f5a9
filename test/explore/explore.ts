/**
 * The exhaustive searches of `hand-over.test.ts` and `splices.test.ts`, further. `npm run explore -- --transactions 2 --kills 1
 * --restarts 1 --timeouts 1` sets the bounds of the first, `npm run explore -- --system b --script both --moveOuts deletes
 * --crashes 1` those of the second; `--states` says after how many states to give up. A counterexample is drawn, and the command fails.
 */
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import { search, type Findings } from './checker/search.ts';
import { sequenceChart } from './checker/sequence-chart.ts';
import { handOverSystem } from './hand-over/hand-over-system.ts';
import { SCRIPTS, type ScriptName } from './splices/splice-scripts.ts';
import { spliceSystem } from './splices/splice-system.ts';

const { values } = parseArgs({
  options: {
    system: { type: 'string', default: 'a' },
    transactions: { type: 'string', default: '1' },
    script: { type: 'string', default: 'both' },
    moveOuts: { type: 'string', default: 'events' },
    kills: { type: 'string', default: '1' },
    restarts: { type: 'string', default: '0' },
    crashes: { type: 'string', default: '0' },
    timeouts: { type: 'string', default: '0' },
    orders: { type: 'string', default: 'one' },
    states: { type: 'string', default: '20000000' },
  },
});

const { kills, restarts, timeouts, transactions } = values;
const common = { kills: Number(kills), restarts: Number(restarts), timeouts: Number(timeouts), transactions: Number(transactions) };

async function found(): Promise<Findings> {
  const statesMax = Number(values.states);
  if (values.system === 'a') return search(await handOverSystem(common), statesMax, (values.orders ?? 'one') as 'one');
  if (!isScript(values.script)) throw new RangeError(`--script is one of ${Object.keys(SCRIPTS).join(', ')}`);
  const moveOuts = values.moveOuts === 'deletes' ? 'deletes' : 'events';
  return search(await spliceSystem({ ...common, script: values.script, moveOuts, crashes: Number(values.crashes) }), statesMax);
}

function isScript(name: string): name is ScriptName {
  return name in SCRIPTS;
}

const beganMs = systemClock.nowMs();
const cpu = process.cpuUsage();
const { counterexample, asleep, states, edges, evaluations, bytesPerState, parts, isExhausted } = await found();
const seconds = (systemClock.nowMs() - beganMs) / 1000;
const { user, system: sys } = process.cpuUsage(cpu);
console.info('cpu', (user + sys) / 1e6, 'edges/cpu s', Math.round(edges / ((user + sys) / 1e6)));

console.info(JSON.stringify(values));
console.info(`${states} states${isExhausted ? ', all of them' : ''}, ${edges} edges, ${asleep} asleep`);
console.info(`${evaluations} local evaluations, ${bytesPerState} bytes per state`);
console.info(`${Object.entries(parts).map(([name, count]) => `${count} ${name}`).join(', ')}`);
console.info(`${seconds.toFixed(1)} s, ${Math.round(edges / seconds)} edges per second`);
if (counterexample !== undefined) console.error(sequenceChart(counterexample));
process.exitCode = counterexample === undefined ? 0 : 1;
