/**
 * What the project says of Postgres, on each version that it says it of: `npm run test:versions` for all older ones, or
 * `npm run test:versions -- 14 16`. Installs them beside this file, then runs the rooms whose tests lean on the server, a version after the
 * other. `--only NAME` takes the files whose paths have that in them.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { OLDER } from '../support/postgres/versions.ts';

const ROOMS = ['test/operations', 'test/postgres', 'test/service/tables', 'test/service/slots', 'test/service/real-client', 'test/oracle'];
const HERE = fileURLToPath(new URL('.', import.meta.url));

const { values: { only }, positionals } = parseArgs({ options: { only: { type: 'string' } }, allowPositionals: true });
const unknown = positionals.filter((version) => !OLDER.includes(version));
if (unknown.length > 0) throw new Error(`There is no Postgres ${unknown.join(', ')} to be tried: ${OLDER.join(', ')} are.`);

execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: HERE, stdio: 'inherit' });
const versions = positionals.length === 0 ? OLDER : positionals;
const failed = versions.filter((version) => !passesOn(version));
console.info(failed.length === 0 ? `passed on ${versions.join(', ')}` : `failed on ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;

function passesOn(version: string): boolean {
  console.info(`Postgres ${version}`);
  const env = { ...process.env, ARMATURE_TEST_POSTGRES: version };
  return spawnSync('npx', ['vitest', 'run', ...(only === undefined ? ROOMS : [only])], { env, stdio: 'inherit' }).status === 0;
}
