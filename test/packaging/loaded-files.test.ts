/** What is built loads no more than it needs: each file that it has to find and read makes a start wait. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadedFiles } from './loaded-files.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
/** Some hundred of packages and of ours. It was more than a thousand when our modules were built one by one. */
const FILES_MAX = 130;

test.each(['--help', '--version'])('armature %s loads no package', (flag) => {
  const { packages } = loadedFiles(REPOSITORY, ['dist/cli.js', flag]);

  expect(packages).toEqual([]);
});

test('the service loads few files, and neither what counts for Prometheus nor what an inspection is streamed by', () => {
  const { count, packages } = loadedFiles(REPOSITORY, ['--input-type=module', '--eval', "await import('./dist/index.js')"]);

  const seldom = ['@opentelemetry/api', 'prom-client', 'ws', 'zod'];
  expect({ isFew: count < FILES_MAX, seldom: packages.filter((name) => seldom.includes(name)) }).toEqual({ isFew: true, seldom: [] });
});

const TELLS = `process.on('exit', () => console.log(process.moduleLoadList.filter((name) => name.endsWith('/undici')).length))`;

test('a start does not load the client for HTTP that Node has, which the driver of Postgres would ask where it runs', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', `data:text/javascript,${TELLS}`, 'dist/cli.js', 'start'], {
    cwd: REPOSITORY,
    encoding: 'utf8',
    env: { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', ARMATURE_INSECURE: 'true', ARMATURE_STORAGE_DIR: 'package.json' },
  });

  expect({ status, stderr, loaded: stdout.trim().split('\n').at(-1) }).toEqual({
    status: 1, stderr: expect.stringContaining('package.json') as string, loaded: '0',
  });
});
