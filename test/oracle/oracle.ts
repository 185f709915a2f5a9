/**
 * Runs of the oracle with ever further seeds, for as many minutes as are asked for: `npm run oracle -- --minutes 5 --seed 1
 * --shapes 40`. Each run has a database, a storage and a service of its own. The first failure ends it, with its story and the seed
 * that makes it again: `--seed N --minutes 0`; with `--keep DIRECTORY` the storage of the service that failed is left there. With
 * `--write`, the summary is kept under `docs/runs`.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { invariant } from '../../src/base/invariant.ts';
import { systemClock } from '../../src/base/clock.ts';
import { createDatabaseOn } from '../support/postgres/postgres.ts';
import { startPostgres } from '../support/postgres/start-postgres.ts';
import { OracleFailure } from './oracle-failure.ts';
import { runOracle } from './oracle-run.ts';
import { addSummary, emptySummary, reportOf, type OracleSummary } from './oracle-summary.ts';

const RUNS_DIRECTORY = new URL('../../docs/runs/', import.meta.url);

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    shapes: { type: 'string', default: '40' },
    batches: { type: 'string', default: '12' },
    subqueries: { type: 'boolean', default: false },
    keep: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const minutes = wholeNumber(values.minutes);
const firstSeed = wholeNumber(values.seed);
const shapes = wholeNumber(values.shapes);
const batches = wholeNumber(values.batches);
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
const isChanged = execFileSync('git', ['status', '--porcelain', 'src', 'test'], { encoding: 'utf8' }) !== '';
const directory = mkdtempSync(join(tmpdir(), 'armature-oracle-'));
const postgres = await startPostgres({ directory: join(directory, 'postgres'), settings: { fsync: 'off', autovacuum: 'off' } });
const beganMs = systemClock.nowMs();
let total = emptySummary();
try {
  for (let seed = firstSeed; ; seed += 1) {
    total = addSummary(total, await runSeed(seed));
    const { transactions, comparisons } = total.counts;
    console.info(`seed ${seed}: equal; in all ${transactions} transactions, ${comparisons} comparisons, ${seconds()} s`);
    if (seconds() >= minutes * 60) break;
  }
} catch (error) {
  if (!(error instanceof OracleFailure)) throw error;
  process.exitCode = 1;
  const again = `--seed ${firstSeed + total.seeds.length} --minutes 0 --shapes ${shapes} --batches ${batches}`;
  console.error(`${error.message}\n\nagain: npm run oracle -- ${again}${values.subqueries ? ' --subqueries' : ''}`);
} finally {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}
const report = reportOf(total, { commit: `${commit}${isChanged ? ', changed' : ''}`, seconds: seconds(), cores: cpus().length });
console.info(report);
if (values.write && process.exitCode !== 1) {
  mkdirSync(RUNS_DIRECTORY, { recursive: true });
  writeFileSync(new URL(`oracle-${commit}-${firstSeed}.md`, RUNS_DIRECTORY), report);
}

async function runSeed(seed: number): Promise<OracleSummary> {
  const database = await createDatabaseOn(postgres.url);
  const storageDirectory = join(directory, database.name);
  try {
    return await runOracle(database, { seed, shapes, batches, withSubqueries: values.subqueries, storageDirectory });
  } catch (error) {
    if (values.keep !== undefined) cpSync(storageDirectory, values.keep, { recursive: true });
    throw error;
  } finally {
    await database.drop();
    rmSync(storageDirectory, { recursive: true, force: true });
  }
}

function seconds(): number {
  return Math.round((systemClock.nowMs() - beganMs) / 1000);
}

function wholeNumber(text: string): number {
  invariant(/^\d+$/.test(text), `a flag takes whole numbers, not ${text}`);
  return Number(text);
}
