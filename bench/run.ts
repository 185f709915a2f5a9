/**
 * The benchmarks: what people ask of the service, each beside the least that it could cost, measured in the same run (bench/README.md).
 *
 *   npm run bench                                  all that do not take very long
 *   npm run bench -- cold-snapshot move-in         these
 *   npm run bench -- --list                        their names, each with a sentence
 *   npm run bench -- --size 0.1 --rounds 5         a tenth of each, five times
 *   npm run bench -- --write                       figures and chart to be committed, into bench/results
 *
 * A target that is not met is said, and nothing more. What measured nothing, or was told something wrong, fails.
 */
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { invariant } from '../src/base/invariant.ts';
import { runOf, writeRun } from './suite/results.ts';
import type { Result } from './suite/run-result.ts';
import { linesOf } from './suite/table.ts';
import { verdictsOf } from './suite/verdict.ts';
import type { Round, Workload } from './suite/workload.ts';
import { Ground } from './suite/world.ts';
import { WORKLOADS } from './workloads/workloads.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    size: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    write: { type: 'boolean', default: false },
    into: { type: 'string', default: join(import.meta.dirname, 'results') },
    /** One database and one service for all, on a Postgres that is there: to see that they work, not what they measure. */
    together: { type: 'string' },
  },
});
const times = Number(values.size);
const rounds = Number(values.rounds);
invariant(times > 0, '--size takes a number above 0');
invariant(Number.isSafeInteger(rounds) && rounds > 0, '--rounds takes a whole number above 0');

const unknown = positionals.filter((name) => !WORKLOADS.some((workload) => workload.name === name));
if (values.list) list();
else if (unknown.length > 0) refuse(unknown);
else await run(WORKLOADS.filter(({ name, isRare }) => (positionals.length === 0 ? isRare !== true : positionals.includes(name))));

function list(): void {
  for (const { name, sentence, isRare } of WORKLOADS) say(`${name.padEnd(24)}${sentence}${isRare === true ? ' (only when named)' : ''}`);
}

function refuse(names: readonly string[]): void {
  say(`no workload is called ${names.join(', ')}; --list names them`);
  process.exitCode = 2;
}

async function run(workloads: readonly Workload[]): Promise<void> {
  const ground = await Ground.open(values.together === undefined ? { isShared: false } : { isShared: true, url: values.together });
  const results: Result[] = [];
  try {
    for (const workload of workloads) results.push(await resultOf(ground, workload));
  } finally {
    await ground.close();
  }
  const done = runOf(rounds, results);
  writeRun(done, values.into, 'latest');
  if (values.write) writeRun(done, values.into, done.commit);
  process.exitCode = results.some(({ failure }) => failure !== undefined) ? 1 : 0;
}

/** One that fails is told with its reason, and keeps none of the others from being measured. */
async function resultOf(ground: Ground, workload: Workload): Promise<Result> {
  const { name, sentence, unit, limit, sizeMin = 1 } = workload;
  const size = Math.max(sizeMin, Math.round(workload.size * times));
  const load = loadavg()[0] ?? 0;
  say(`\n${name}: ${sentence}\n  ${size} ${unit}${limit === undefined ? '' : `; the limit: ${limit}`}; load ${load.toFixed(1)}`);
  const about = { name, sentence, size, unit, load, ...(limit === undefined ? {} : { limit }) };
  try {
    const figures = verdictsOf(workload, await ground.inWorld((world) => roundsOf(workload.measure(world, size))));
    for (const line of linesOf(figures)) say(line);
    return { ...about, figures };
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
    say(`  failed: ${failure}`);
    return { ...about, figures: [], failure };
  }
}

async function roundsOf(measuring: AsyncGenerator<Round, void, void>): Promise<readonly Round[]> {
  const measured: Round[] = [];
  for await (const round of measuring) {
    measured.push(round);
    if (measured.length === rounds) break;
  }
  return measured;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
