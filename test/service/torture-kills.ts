/**
 * Kills at random moments, as many as wanted: `npm run torture:kills -- --kills 200 --seed 1`. With `--compacting` logs are compacted
 * meanwhile. The first that is not equal ends it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { createDatabaseOn } from '../support/postgres/postgres.ts';
import { startPostgres } from '../support/postgres/start-postgres.ts';
import { runKills } from './random-kills.ts';

const KILLS_PER_RUN = 20;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    compacting: { type: 'boolean', default: false },
  },
});
const directory = mkdtempSync(join(tmpdir(), 'armature-kills-'));
const postgres = await startPostgres({ directory: join(directory, 'postgres'), settings: { fsync: 'off' } });
try {
  for (let seed = Number(values.seed), left = Number(values.kills); left > 0; seed += 1, left -= KILLS_PER_RUN) {
    if (!(await isEqualAfter(Math.min(left, KILLS_PER_RUN), seed))) break;
  }
} finally {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function isEqualAfter(kills: number, seed: number): Promise<boolean> {
  const database = await createDatabaseOn(postgres.url);
  const storageDirectory = join(directory, `storage-${seed}`);
  const options = { storageDirectory, kills, seed, isCompacting: values.compacting };
  const { held, selected, handlesBefore, handlesAfter, refetches, exitCode } = await runKills(database, options);
  await database.drop();
  rmSync(storageDirectory, { recursive: true, force: true });
  const found = { held, handles: handlesAfter, refetches, exitCode };
  const wanted = { held: selected, handles: handlesBefore, refetches: [0, 0, 0], exitCode: 0 };
  const isEqual = isDeepStrictEqual(found, wanted);
  console.info(`seed ${seed}: ${kills} times kill -9, ${isEqual ? 'equal' : `not equal: ${JSON.stringify({ found, wanted })}`}`);
  if (!isEqual) process.exitCode = 1;
  return isEqual;
}
