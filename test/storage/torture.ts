/**
 * All power cuts of all workloads, and of random ones, all refusals of the disk, and damage in many of their states: `npm run
 * torture:storage -- --minutes 5 --seed 1`. Bounded by the minutes; what breaks a promise is printed with what makes it again. Of three
 * seeds one is a workload of few kinds of steps, with refusals, and two are whole lives: with cuts within recoveries, and with damage.
 * `--only lives` leaves the others out. `--only damage` has all that can befall each file at every moment of one whole life: some eighty
 * thousand mishaps, which take half an hour.
 */
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import { seededRandom, type Random } from '../../src/base/random.ts';
import type { Step } from './crash-world.ts';
import { damageAt, flips, mishaps, staleCopies } from './damages.ts';
import { cutAt, momentsOf, WORKLOADS } from './power-cuts.ts';
import { operationsOf, livingSteps, REFUSAL_CODES, REFUSAL_COUNTS, violationsUnder } from './refusals.ts';
import type { WholeStep } from './whole/whole-world.ts';
import { damagedAt, endAt, momentsOf as momentsOfLife, randomLife, WHOLE_LIFE, type End } from './whole/workloads.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string', default: '1' }, only: { type: 'string', default: 'all' } },
});
const endMs = systemClock.nowMs() + Number(values.minutes) * 60_000;
const WAYS = 3;
const STEPS = 25;
const DAMAGED_EVERY = 20;
const CUTS_EVERY = 7;
/** One after the other: how often the power goes, and where a process is killed before it. */
const ENDS: readonly [End, ...End[]][] = [
  ['power'], ['power', 'power'], ['kill', 'power'], ['kill', 'power', 'power'], ['power', 'kill', 'power'],
];
/** Of a whole life, at every such moment what may befall its files, and of all their bytes one of so many flipped. */
const BEFALLEN_EVERY = 3;
const FLIPPED_EVERY = 61;
let [cuts, refusals, damages, broken] = [0, 0, 0, 0];

if (values.only === 'damage') await befallEverywhere('a whole life', WHOLE_LIFE, seededRandom(Number(values.seed)));
else await tortureAll(values.only === 'lives');
const verdict = broken === 0 ? 'no promise broken' : `${broken} promises broken`;
console.info(`${cuts} power cuts, ${refusals} disks that refuse, ${damages} times damage: ${verdict}`);
process.exitCode = broken === 0 ? 0 : 1;

async function tortureAll(isOnlyLives: boolean): Promise<void> {
  if (!isOnlyLives) for (const [name, steps] of Object.entries(WORKLOADS)) await torture(name, steps, 0);
  await live('a whole life', WHOLE_LIFE, Number(values.seed));
  for (let seed = Number(values.seed); systemClock.nowMs() < endMs; seed += 1) {
    if (isOnlyLives || seed % 3 > 0) await live(`life ${seed}`, randomLife(seededRandom(seed)), seed);
    else await torture(`random workload ${seed}`, randomSteps(seededRandom(seed)), seed);
  }
}

/** Of each moment one way to end; how it is befallen by damage in between. */
async function live(name: string, steps: readonly WholeStep[], seed: number): Promise<void> {
  const { moments, violations } = await momentsOfLife(steps);
  report(name, violations);
  for (const [index, moment] of moments.entries()) {
    if (systemClock.nowMs() > endMs) return;
    const ends = ENDS[(index + seed) % ENDS.length] ?? ['power'];
    report(`${name}, operation ${index}`, await endAt(moment, ends, seed * 1_000_003 + index));
    cuts += ends.filter((end) => end === 'power').length;
  }
  console.info(`${name}: ${moments.length} moments`);
  await befall(name, steps, seededRandom(seed));
}

async function befall(name: string, steps: readonly WholeStep[], random: Random): Promise<void> {
  const { moments } = await momentsOfLife(steps, { isPatient: true });
  const flipped = random.below(moments.length);
  for (const [index, moment] of moments.entries()) {
    const older = moments[random.below(index + 1)];
    if (systemClock.nowMs() > endMs || older === undefined) return;
    const every = [...mishaps(moment.disk.files, random), ...staleCopies(older.disk, moment.disk)];
    const some = index % BEFALLEN_EVERY === 0 ? [every[random.below(every.length)]] : [];
    const all = [...some.flatMap((one) => one ?? []), ...(index === flipped ? flips(moment.disk, FLIPPED_EVERY, random) : [])];
    report(`${name}, operation ${index}`, await damagedAt(moment, all));
    damages += all.length;
  }
}

async function befallEverywhere(name: string, steps: readonly WholeStep[], random: Random): Promise<void> {
  const { moments } = await momentsOfLife(steps, { isPatient: true });
  for (const [index, moment] of moments.entries()) {
    if (systemClock.nowMs() > endMs) return console.info(`${name}: the time was over at moment ${index} of ${moments.length}`);
    const all = [...mishaps(moment.disk.files, random)];
    report(`${name}, operation ${index}`, await damagedAt(moment, all));
    damages += all.length;
  }
  console.info(`${name}: all ${moments.length} moments`);
}

async function torture(name: string, steps: readonly Step[], seed: number): Promise<void> {
  const { moments, violations } = await momentsOf(steps);
  report(name, violations);
  for (const [index, moment] of moments.entries()) {
    if (systemClock.nowMs() > endMs) return;
    const ways = Array.from({ length: WAYS }, (_, way) => seed * 1_000_003 + index * WAYS + way);
    report(`${name}, operation ${index}`, await cutAt(moment, ways));
    cuts += WAYS;
    if (index % DAMAGED_EVERY === 0) report(`${name}, operation ${index}`, await damageAt(moment, seededRandom(seed + index)));
  }
  console.info(`${name}: ${moments.length} moments`);
  await refuse(name, livingSteps(steps), seed);
}

async function refuse(name: string, steps: readonly Step[], seed: number): Promise<void> {
  for (const of of ['changes', 'looks'] as const) {
    const operations = await operationsOf(steps, of);
    for (let from = 0; from < operations && systemClock.nowMs() <= endMs; from += 1) {
      const code = REFUSAL_CODES[(from + seed) % REFUSAL_CODES.length] ?? 'EIO';
      for (const count of REFUSAL_COUNTS) report(name, await violationsUnder(steps, { of, from, count, code }, CUTS_EVERY));
      refusals += REFUSAL_COUNTS.length;
    }
  }
}

function report(where: string, violations: readonly string[]): void {
  broken += violations.length;
  for (const violation of violations) console.error(`${where}, ${violation}`);
}

function randomSteps(random: Random): Step[] {
  return Array.from({ length: STEPS }, () => randomStep(random));
}

const SYNCS = [/\.log$/, /\.lines$/, /\.index$/, /\.snapshot$/, /\.pack$/, /\.checkpoint/, /\/checkpoint$/, /\/packs$/, /\/log$/] as const;

function randomStep(random: Random): Step {
  const during = (['sync', 'create', 'delete', 'checkpoint'] as const)[random.below(4)] ?? 'sync';
  const syncsOf = SYNCS[random.below(SYNCS.length)] ?? /^/;
  const steps: readonly Step[] = [
    { do: 'transaction', fragments: 1 + random.below(3), bytes: random.below(150) },
    { do: 'transaction', fragments: 1, bytes: random.below(500) },
    { do: 'apply' }, { do: 'apply' }, { do: 'apply but the new' }, { do: 'create' }, { do: 'checkpoint' }, { do: 'checkpoint' },
    { do: 'delete' }, { do: 'read' }, { do: 'sync' }, { do: 'open transaction' }, { do: 'kill' },
    { do: 'go back during a checkpoint', turns: random.below(40) },
    { do: 'fail', syncsOf, during },
    { do: 'crash', during, turns: random.below(80) },
  ];
  return steps[random.below(steps.length)] ?? { do: 'read' };
}
