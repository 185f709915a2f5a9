/**
 * `npm run explore`: every state of every system, to the bounds of `bounds.ts`; but those in which somebody has yet to do what may be
 * done at once, or is killed who may as well be killed later. As many searches run side by side as there are processors, each in a
 * process of its own, and each is told of when it has ended.
 *
 * - `-- --system a` searches one system alone.
 * - `-- --bound 1` goes deeper: by one transaction, with 2 by one kill as well, and so on.
 * - `-- --walks 100 --seed 7` takes random walks instead, and has the production runtime take the same: within each of those bounds,
 *   100 seeds from the seventh on.
 * - `-- --states 1000000` says after how many states to give up.
 * - `-- --searches 1` says how many of them run at a time.
 *
 * What is found is drawn and kept as a scenario, and the command fails.
 */
import { fork } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import { invariant } from '../../src/base/invariant.ts';
import { BOUNDS, type Bounded, type Letter } from './bounds.ts';
import type { Errand } from './errand.ts';

const ERRAND = fileURLToPath(new URL('errand.ts', import.meta.url));

const { values } = parseArgs({
  options: {
    system: { type: 'string' },
    bound: { type: 'string', default: '0' },
    states: { type: 'string', default: '200000000' },
    walks: { type: 'string', default: '0' },
    seed: { type: 'string', default: '0' },
    searches: { type: 'string', default: String(availableParallelism()) },
  },
});

const [beganMs, load] = [systemClock.nowMs(), loadavg()];
const errands = lettersOf(values.system).flatMap((letter) => BOUNDS[letter].flatMap((bounded) => errandsOf(letter, bounded)));
const left = [...errands];
await Promise.all(Array.from({ length: Number(values.searches) }, goOn));
const seconds = ((systemClock.nowMs() - beganMs) / 1000).toFixed(0);
console.info(`\n${errands.length} searches in ${seconds} s; others kept ${load[0]?.toFixed(1)} processors busy when it began`);

function lettersOf(name: string | undefined): readonly Letter[] {
  const letters = Object.keys(BOUNDS) as Letter[];
  const named = letters.filter((letter) => name === undefined || letter === name);
  if (named.length === 0) throw new RangeError(`--system is one of ${letters.join(', ')}`);
  return named;
}

function errandsOf(letter: Letter, { what, settings }: Bounded): readonly Errand[] {
  const { bound, states, walks, seed } = values;
  const common = { statesMax: Number(states), walks: Number(walks), firstSeed: Number(seed) };
  return settings(Number(bound)).map((setting) => ({ what: `${letter}: ${what}`, setting, ...common }));
}

/** One after the other, as long as there are any. */
async function goOn(): Promise<void> {
  for (let errand = left.shift(); errand !== undefined; errand = left.shift()) {
    const { stdout, stderr } = fork(ERRAND, [JSON.stringify(errand)], { silent: true }).once('exit', noteExit);
    invariant(stdout !== null && stderr !== null, 'what it says comes to us');
    const [told, complaints] = await Promise.all([text(stdout), text(stderr)]);
    console.info(told.trimEnd());
    if (complaints !== '') console.error(complaints);
  }
}

function noteExit(code: number | null): void {
  if (code !== 0) process.exitCode = 1;
}
