/**
 * Worlds under torture with ever further seeds, for as many minutes as are asked for: `npm run torture -- --minutes 60 --seed 1`. The first
 * finding ends it, with its story and the seed that makes it again. `--worlds 2` has two of them side by side, `--only` takes the kinds of
 * faults whose names have that in them, and `--keep DIRECTORY` leaves the storage of a service that failed there. With `--write`, the
 * report is kept under `docs/runs`.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { positive } from '../../bench/options.ts';
import { systemClock } from '../../src/base/clock.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';
import { FAULTS } from './faults.ts';
import { TortureFailure } from './finding.ts';
import { TornCluster } from './torn-cluster.ts';
import { TornDisk } from './torn-disk.ts';
import { addTally, NOTHING, reportOf } from './torture-tally.ts';
import { tortureWorld } from './torture-run.ts';
import { TortureWorld } from './torture-world.ts';

const RUNS_DIRECTORY = new URL('../../docs/runs/', import.meta.url);

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '25' },
    shapes: { type: 'string', default: '12' },
    worlds: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    keep: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const firstSeed = positive(values.seed, 'seed');
const rounds = positive(values.rounds, 'rounds');
const shapes = positive(values.shapes, 'shapes');
const worlds = positive(values.worlds, 'worlds');
const untilMs = systemClock.nowMs() + Number(values.minutes) * 60_000;
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
const isChanged = execFileSync('git', ['status', '--porcelain', 'src', 'test'], { encoding: 'utf8' }) !== '';
const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
const beganMs = systemClock.nowMs();
let total = NOTHING;
let nextSeed = firstSeed;
let leftOut: readonly string[] = [];

await Promise.all(Array.from({ length: worlds }, () => tortureOnOneCluster()));
const seconds = Math.round((systemClock.nowMs() - beganMs) / 1000);
const seeds = `${firstSeed} to ${nextSeed - 1}`;
const report = reportOf(total, { commit: `${commit}${isChanged ? ', changed' : ''}`, seconds, cores: cpus().length, seeds, leftOut });
console.info(report);
if (values.write && process.exitCode !== 1) {
  mkdirSync(RUNS_DIRECTORY, { recursive: true });
  writeFileSync(new URL(`torture-${commit}-${firstSeed}.md`, RUNS_DIRECTORY), report);
}
process.exit(); // Node's own end waits for the handles of children that were killed, and was seen to do so for ever, at full speed.

async function tortureOnOneCluster(): Promise<void> {
  const directory = temporaryDirectory();
  const disk = TornDisk.mount();
  const cluster = await TornCluster.start(join(directory, 'postgres'));
  try {
    do await tortureSeed(cluster, disk, nextSeed++);
    while (systemClock.nowMs() < untilMs && !ending.signal.aborted);
  } finally {
    await cluster.stop();
    disk.remove();
    removeDirectory(directory);
  }
}

async function tortureSeed(cluster: TornCluster, disk: TornDisk, seed: number): Promise<void> {
  disk.clear();
  const faults = FAULTS.filter(({ name, takes }) => name.includes(values.only) && (takes === undefined || disk.canBeFilled));
  leftOut = FAULTS.filter(({ takes }) => takes !== undefined && !disk.canBeFilled).map(({ name }) => name);
  const world = await TortureWorld.open(cluster, disk);
  try {
    const tally = await tortureWorld(world, { seed, rounds, shapes, faults, signal: ending.signal, onRound: (line) => console.info(line) });
    total = addTally(total, tally);
  } catch (error) {
    if (!(error instanceof TortureFailure)) throw error;
    process.exitCode = 1;
    if (!ending.signal.aborted) tell(error, seed, disk);
    ending.abort();
  } finally {
    await world.close();
  }
}

function tell({ message }: TortureFailure, seed: number, { storageDirectory }: TornDisk): void {
  const only = values.only === '' ? '' : ` --only '${values.only}'`;
  console.error(`${message}\n\nagain: npm run torture -- --seed ${seed} --minutes 0 --rounds ${rounds} --shapes ${shapes}${only}`);
  if (values.keep !== undefined) cpSync(storageDirectory, values.keep, { recursive: true });
}
