/**
 * The service for as many minutes as are asked for, under writes that never end: `npm run soak -- --minutes 30 --seed 1`. Fails when a
 * client does not come to the rows of its table, or when memory, disk or files have grown by more than a tenth since the first five
 * minutes (of a short run, its first third), or when nothing was compared or measured. With `--write`, curve and summary are kept under
 * `docs/runs`.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { positive } from '../../bench/options.ts';
import { createDatabaseOn } from '../support/postgres/postgres.ts';
import { startPostgres } from '../support/postgres/start-postgres.ts';
import { curveOf } from './curve.ts';
import { reportOf } from './soak-report.ts';
import { soak, type SoakOutcome } from './soak-run.ts';
import { isPassed, judge, type Sample } from './verdict.ts';

const RUNS_DIRECTORY = new URL('../../docs/runs/', import.meta.url);

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
  },
});
const seconds = 60 * positive(values.minutes, 'minutes');
const seed = positive(values.seed, 'seed');
const windows = { settleSeconds: Math.min(300, seconds / 3), windowSeconds: seconds / 6 };
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
const directory = mkdtempSync(join(tmpdir(), 'armature-soak-'));
const postgres = await startPostgres({ directory: join(directory, 'postgres'), settings: { fsync: 'off' } });
try {
  conclude(await run());
} finally {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function run(): Promise<SoakOutcome> {
  const database = await createDatabaseOn(postgres.url);
  try {
    return await soak(database, {
      seconds,
      seed,
      storageDirectory: join(directory, 'storage'),
      sampleEveryMs: 5_000,
      roundMs: 15_000,
      transactionEveryMs: 100,
      onSample: tell,
    });
  } finally {
    await database.drop();
  }
}

function conclude(outcome: SoakOutcome): void {
  const judgements = judge(outcome.samples, windows);
  const name = `soak-${commit}-${seed}`;
  const report = reportOf(outcome, judgements, { commit, seed, cores: cpus().length, curve: `${name}.svg`, ...windows });
  console.info(report);
  if (!isPassed(outcome, judgements)) process.exitCode = 1;
  if (!values.write) return;
  mkdirSync(RUNS_DIRECTORY, { recursive: true });
  writeFileSync(new URL(`${name}.svg`, RUNS_DIRECTORY), curveOf(outcome.samples, windows.settleSeconds));
  writeFileSync(new URL(`${name}.md`, RUNS_DIRECTORY), report);
}

function tell({ atSeconds, files, descriptors, ...bytes }: Sample): void {
  const mib = (value: number): string => (value / 1024 / 1024).toFixed(1);
  const { resident, heap, log, shapes, checkpoints } = bytes;
  console.info(
    `${Math.round(atSeconds)} s: resident ${mib(resident)}, heap ${mib(heap)}; log ${mib(log)}, shapes ${mib(shapes)}, ` +
      `checkpoints ${mib(checkpoints)} MiB; ${files} files, ${descriptors} descriptors`,
  );
}
