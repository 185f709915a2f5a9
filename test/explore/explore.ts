/**
 * The exhaustive search of `hand-over.test.ts`, further: `npm run explore -- --transactions 2 --kills 1 --restarts 1
 * --timeouts 1` sets the bounds, `--states` says after how many states to give up. A counterexample is drawn, and the command fails.
 */
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import { search } from './checker/search.ts';
import { sequenceChart } from './checker/sequence-chart.ts';
import { handOverSystem } from './hand-over/hand-over-system.ts';

const { values } = parseArgs({
  options: {
    transactions: { type: 'string', default: '1' },
    kills: { type: 'string', default: '1' },
    restarts: { type: 'string', default: '0' },
    timeouts: { type: 'string', default: '0' },
    states: { type: 'string', default: '20000000' },
  },
});

const { transactions, kills, restarts, timeouts } = values;
const bounds = { transactions: Number(transactions), kills: Number(kills), restarts: Number(restarts), timeouts: Number(timeouts) };
const system = await handOverSystem(bounds);
const beganMs = systemClock.nowMs();
const { counterexample, states, edges, evaluations, bytesPerState, parts, isExhausted } = search(system, Number(values.states));
const seconds = (systemClock.nowMs() - beganMs) / 1000;

console.info(JSON.stringify(bounds));
console.info(`${states} states${isExhausted ? ', all of them' : ''}, ${edges} edges`);
console.info(`${evaluations} local evaluations, ${bytesPerState} bytes per state`);
console.info(`${Object.entries(parts).map(([name, count]) => `${count} ${name}`).join(', ')}`);
console.info(`${seconds.toFixed(1)} s, ${Math.round(edges / seconds)} edges per second`);
if (counterexample !== undefined) console.error(sequenceChart(counterexample));
process.exitCode = counterexample === undefined ? 0 : 1;
