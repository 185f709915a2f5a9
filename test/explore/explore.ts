/**
 * The exhaustive searches of `hand-over.test.ts`, `splices.test.ts` and `handles.test.ts`, further. `npm run explore -- --transactions 2
 * --kills 1 --restarts 1 --timeouts 1` sets the bounds of the first, `-- --system b --script both --moveOuts deletes --crashes 1` those
 * of the second, `-- --system c --live inner --asks inner,inner --fates deletion --kills 1` those of the third; `--states` says after
 * how many states to give up. A counterexample is drawn, and the command fails.
 */
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import { search, type Findings } from './checker/search.ts';
import { sequenceChart } from './checker/sequence-chart.ts';
import { handOverSystem } from './hand-over/hand-over-system.ts';
import { requestBounds } from './handles/request-bounds.ts';
import { handleSetting } from './handles/handle-setting.ts';
import { handleSystem } from './handles/handle-system.ts';
import { SCRIPTS, type ScriptName } from './splices/splice-scripts.ts';
import { spliceSystem } from './splices/splice-system.ts';

const { values } = parseArgs({
  options: {
    system: { type: 'string', default: 'a' },
    transactions: { type: 'string', default: '1' },
    script: { type: 'string', default: 'both' },
    moveOuts: { type: 'string', default: 'events' },
    live: { type: 'string', default: '' },
    asks: { type: 'string', default: 'inner,inner' },
    fates: { type: 'string', default: '' },
    late: { type: 'string', default: '' },
    victims: { type: 'string', default: 'shapes' },
    kills: { type: 'string', default: '1' },
    restarts: { type: 'string', default: '0' },
    crashes: { type: 'string', default: '0' },
    timeouts: { type: 'string', default: '0' },
    states: { type: 'string', default: '20000000' },
  },
});

const { kills, restarts, timeouts, transactions } = values;
const common = { kills: Number(kills), restarts: Number(restarts), timeouts: Number(timeouts), transactions: Number(transactions) };

async function found(): Promise<Findings> {
  const statesMax = Number(values.states);
  if (values.system === 'a') return search(await handOverSystem(common), statesMax);
  if (values.system === 'c') return search(handleSystem(await handleSetting(), { ...common, ...requestBounds(values) }), statesMax);
  if (!isScript(values.script)) throw new RangeError(`--script is one of ${Object.keys(SCRIPTS).join(', ')}`);
  const moveOuts = values.moveOuts === 'deletes' ? 'deletes' : 'events';
  return search(await spliceSystem({ ...common, script: values.script, moveOuts, crashes: Number(values.crashes) }), statesMax);
}

function isScript(name: string): name is ScriptName {
  return name in SCRIPTS;
}

const beganMs = systemClock.nowMs();
const { counterexample, states, edges, evaluations, bytesPerState, parts, isExhausted } = await found();
const seconds = (systemClock.nowMs() - beganMs) / 1000;

console.info(JSON.stringify(values));
console.info(`${states} states${isExhausted ? ', all of them' : ''}, ${edges} edges`);
console.info(`${evaluations} local evaluations, ${bytesPerState} bytes per state`);
console.info(`${Object.entries(parts).map(([name, count]) => `${count} ${name}`).join(', ')}`);
console.info(`${seconds.toFixed(1)} s, ${Math.round(edges / seconds)} edges per second`);
if (counterexample !== undefined) console.error(sequenceChart(counterexample));
process.exitCode = counterexample === undefined ? 0 : 1;
