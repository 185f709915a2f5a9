/**
 * Asks Postgres about ever further random expressions: `npm run judge -- --expressions 200000 --seed 1`. Each thousand has rows of its
 * own. The first expression on which it and we differ ends the run, shrunk, with the seed that finds it again: `--seed N
 * --expressions 1000`. With `--write`, the summary is kept under `docs/runs`. `--binaries folder` takes another Postgres: the folder has
 * `initdb` and `postgres`.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { systemClock } from '../../src/base/clock.ts';
import { openJudge, ROWS, type Mismatch } from '../support/expression-judge.ts';
import { createDatabaseOn, type TestDatabase } from '../support/postgres/postgres.ts';
import { startPostgres } from '../support/postgres/start-postgres.ts';
import { typedExpressions } from '../support/typed-expressions.ts';
import { timeZonesOf } from '../support/zoned-language.ts';

const RUNS_DIRECTORY = new URL('../../docs/runs/', import.meta.url);
const BATCH = 1000;

const { values } = parseArgs({
  options: {
    expressions: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
    binaries: { type: 'string' },
  },
});
const [expressions, firstSeed] = [Number(values.expressions), Number(values.seed)];
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
const isChanged = execFileSync('git', ['status', '--porcelain', 'src', 'test'], { encoding: 'utf8' }) !== '';
const directory = mkdtempSync(join(tmpdir(), 'armature-judge-'));
const { binaries } = values;
const postgres = await startPostgres({
  directory: join(directory, 'postgres'),
  settings: { fsync: 'off', autovacuum: 'off' },
  ...(binaries === undefined ? {} : { binaries: { initdb: join(binaries, 'initdb'), postgres: join(binaries, 'postgres') } }),
});
const main = await createDatabaseOn(postgres.url);
const timeZones = timeZonesOf(main);
const version = await versionOf(main);
const beganMs = systemClock.nowMs();
const counts = { expressions: 0, values: 0, errors: 0 };
let found: Mismatch | undefined;
try {
  for (let seed = firstSeed; counts.expressions < expressions && found === undefined; seed += 1) {
    found = await judged(seed);
    console.info(`seed ${seed}: ${found === undefined ? `equal; in all ${summary()}` : JSON.stringify(found, undefined, 2)}`);
  }
} finally {
  await main.drop();
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}
if (found !== undefined) process.exitCode = 1;
const report = `# Expressions against Postgres

Commit ${commit}${isChanged ? ', changed' : ''}; seeds from ${firstSeed}; ${cpus().length} cores; Postgres ${version}.

${summary()}; ${found === undefined ? 'no' : 'one'} mismatch.
`;
console.info(report);
if (values.write && found === undefined) {
  mkdirSync(RUNS_DIRECTORY, { recursive: true });
  writeFileSync(new URL(`judge-${commit}-${firstSeed}.md`, RUNS_DIRECTORY), report);
}

/** @returns the first mismatch. */
async function judged(seed: number): Promise<Mismatch | undefined> {
  const database = await createDatabaseOn(postgres.url);
  let last: Mismatch | undefined;
  try {
    const judge = await openJudge(database, seed, timeZones);
    const property = fc.asyncProperty(typedExpressions, async (expression) => {
      const { mismatches, errors } = await judge.judge(expression);
      counts.expressions += 1;
      counts.values += ROWS - errors;
      counts.errors += errors;
      last = mismatches[0] ?? last;
      return mismatches.length === 0;
    });
    await fc.check(property, { numRuns: BATCH, seed });
    return last;
  } finally {
    await database.drop();
  }
}

async function versionOf(database: TestDatabase): Promise<string> {
  const [row] = await database.query<{ server_version: string }>('SHOW server_version');
  return row?.server_version ?? 'unknown';
}

function summary(): string {
  const seconds = Math.round((systemClock.nowMs() - beganMs) / 1000);
  return `${counts.expressions} expressions, ${counts.values} values and ${counts.errors} errors, ${seconds} s`;
}
