/**
 * The package as its user gets it: packed from a copy of the repository in which nothing was built, installed from the
 * tarball by npm into an empty project, and used there. No registry is asked: what the package depends on is linked.
 */
import { execFile } from 'node:child_process';
import {
  cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VERSION } from '../../src/base/version.ts';

interface Manifest {
  readonly exports: Readonly<Record<string, { readonly types?: string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const REPOSITORY = join(import.meta.dirname, '../..');
const NOT_IN_A_CLONE = ['.git', 'node_modules', 'test/versions/node_modules', 'dist', '.armature', 'coverage'];
const PACK_MS_MAX = 600_000;
const COMPILE_MS_MAX = 120_000;
/** Of the observer's page the build makes a few files by themselves, with the charts that it draws. */
const PAGE = /^observer\/(page|charts\/placed)\//;
/** What the build takes in of others: it stands in the package of that name. */
const TAKEN_IN = /^\.\.\/\.\.\/node_modules\/(zod|@opentelemetry\/api)\//;
/** What is run, by itself or as a thread, and what is imported. */
const ENTRY_POINTS = ['cli.js', 'index.js', 'otp/index.js', 'postgres/snapshot/rows-worker.js'];
const run = promisify(execFile);

let folder: string;
let project: string;
let installed: string;
let manifest: Manifest;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'armature-package-')));
  const copy = join(folder, 'copy');
  cpSync(REPOSITORY, copy, { recursive: true, filter: (path) => !NOT_IN_A_CLONE.includes(relative(REPOSITORY, path)) });
  symlinkSync(join(REPOSITORY, 'node_modules'), join(copy, 'node_modules'));
  leaveEarlierBuild(join(copy, 'dist'));
  await npm(copy, 'pack', '--pack-destination', folder);
  project = join(folder, 'project');
  installed = join(project, 'node_modules/armature');
  manifest = JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8')) as Manifest;
  mkdirSync(join(project, 'node_modules'), { recursive: true });
  writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }');
  for (const name of Object.keys(manifest.dependencies)) {
    const linked = join(project, 'node_modules', name);
    mkdirSync(dirname(linked), { recursive: true }); // Its scope, where it has one.
    symlinkSync(join(REPOSITORY, 'node_modules', name), linked);
  }
  await npm(project, 'install', '--no-package-lock', '--omit=optional', '--ignore-scripts', join(folder, `armature-${VERSION}.tgz`));
}, PACK_MS_MAX);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('holds what is built from its sources now, the sources, and no trace of an earlier build', () => {
  const roots = readdirSync(installed).sort();
  const declarations = filesBelow(join(installed, 'src')).filter(isCompiled).map((path) => path.replace(/\.ts$/, '.d.ts'));
  const code = loadedBy(...ENTRY_POINTS).flatMap((path) => [path, `${path}.map`]);

  const built = filesBelow(join(installed, 'dist')).filter((path) => !PAGE.test(path));
  expect({ roots, built }).toEqual({
    roots: ['CHANGELOG.md', 'LICENSE', 'NOTICE', 'README.md', 'dist', 'package.json', 'src'],
    built: [...declarations, ...code].sort(),
  });
});

test('holds the page of the observer, and the chart of each machine', () => {
  const page = filesBelow(join(installed, 'dist')).filter((path) => PAGE.test(path)).map((path) => path.replace(/^observer\//, ''));
  const charts = filesBelow(join(installed, 'src/observer/charts/placed')).map((path) => `charts/placed/${path}`);

  const files = ['front.css', 'front.html', 'front.js', 'icon.svg', 'index.html', 'layout.js', 'observer.css', 'observer.js'];
  expect(page.sort()).toEqual([...charts, ...files.map((name) => `page/${name}`)].sort());
});

test('each export has its code and its types', () => {
  const named = Object.values(manifest.exports).flatMap(({ types = 'no types', default: code }) => [types, code]);

  expect({ exports: Object.keys(manifest.exports), missing: named.filter((path) => !existsSync(join(installed, path))) }).toEqual({
    exports: ['.', './otp'],
    missing: [],
  });
});

test('each source of ours that a map names is there, so that a stack leads to a line that can be read', () => {
  const maps = filesBelow(join(installed, 'dist')).filter((path) => path.endsWith('.map'));

  const missing = maps.flatMap((path) => {
    const map = join(installed, 'dist', path);
    const { sources } = JSON.parse(readFileSync(map, 'utf8')) as { sources: string[] };
    return sources.filter((source) => !TAKEN_IN.test(source) && !existsSync(join(dirname(map), source)));
  });

  expect({ missing, isMapped: maps.length > 0 }).toEqual({ missing: [], isMapped: true });
});

test('a stack names our sources for who runs Node with --enable-source-maps', async () => {
  const program = "import { startService } from 'armature'; await startService({}).catch(({ stack }) => console.log(stack));";

  const words = ['--enable-source-maps', '--input-type=module', '--eval', program];
  const { stdout } = await run(process.execPath, words, { cwd: project });

  expect(stdout).toContain(join(installed, 'src/service/service.ts:'));
});

test('a program imports the service and the process layer', async () => {
  const program = `
    import { readConfiguration, startStack } from 'armature';
    import { createRuntime } from 'armature/otp';
    console.log(JSON.stringify([typeof startStack, typeof createRuntime, Object.keys(readConfiguration('start', {}, {}))]));`;

  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: project });

  expect({ answer: JSON.parse(stdout) as unknown, stderr }).toEqual({ answer: ['function', 'function', ['problems']], stderr: '' });
});

test('its program is installed as a command', async () => {
  const { stdout } = await run(join(project, 'node_modules/.bin/armature'), ['--help'], { cwd: project });

  expect(stdout).toContain('armature start [flags]');
});

test('strict TypeScript that checks every declaration needs no other types, even of Node', { timeout: COMPILE_MS_MAX }, async () => {
  writeFileSync(
    join(project, 'consumer.ts'),
    `import {
       ConfigurationError, readConfiguration, startService, startStack, systemWorld, type Service, type StartWatch, type World,
     } from 'armature';
     import { createRuntime, supervisor, type Pid } from 'armature/otp';
     const world: World = systemWorld;
     const read = readConfiguration('start', { port: '0' }, { DATABASE_URL: 'postgresql://localhost/app', ARMATURE_INSECURE: 'true' });
     if ('problems' in read) throw new ConfigurationError(read.problems.join());
     export const service: Service = await startStack(read.configuration, world);
     export const url: string = service.url;
     export const root: Promise<Pid> = createRuntime().start(supervisor({ strategy: 'one_for_one', children: [] }), { id: 'root' });
     // @ts-expect-error A port is a text here, as in an environment.
     readConfiguration('start', { port: 0 }, {});
     const own = await startService({ databaseUrl: 'postgresql://localhost/app', storage: 'memory', logger: 'silent', listen: false });
     own.on('shape.started', ({ table }) => table.toUpperCase());
     own.on('restoring', ({ restored, of }) => restored / of);
     export const cause: Promise<string | undefined> = own.cause();
     const watch: StartWatch = { step: ({ what }) => what.toUpperCase() };
     await startService({ databaseUrl: 'postgresql://localhost/app', listen: false }, undefined, watch);
     own.fetchHandler({ authorize: () => ({ table: 'issues', where: 'team = $1', params: ['blue'] }) });
     for await (const message of own.shape({ table: 'issues' })) if ('key' in message) message.value['id']?.toUpperCase();
     // @ts-expect-error A service follows a database.
     startService({});
    `,
  );
  const strict = { strict: true, noUncheckedIndexedAccess: true, skipLibCheck: false, noEmit: true };
  const compilerOptions = { ...strict, target: 'es2022', module: 'nodenext', types: [], preserveSymlinks: true };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));

  const compiler = join(REPOSITORY, 'node_modules/.bin/tsc');
  const { stdout } = await run(compiler, ['--project', project]).catch((failure: { stdout: string }) => failure);

  expect(stdout).toBe('');
});

/** Of another state of the sources, and up to date by its own account. */
function leaveEarlierBuild(dist: string): void {
  mkdirSync(dist);
  writeFileSync(join(dist, 'left-over.js'), '');
  if (existsSync(join(REPOSITORY, 'dist/.tsbuildinfo'))) cpSync(join(REPOSITORY, 'dist/.tsbuildinfo'), join(dist, '.tsbuildinfo'));
}

/** @returns with those that they import, at once or later, and so on. */
function loadedBy(...paths: readonly string[]): readonly string[] {
  const found = new Set(paths);
  for (const path of found) {
    const text = readFileSync(join(installed, 'dist', path), 'utf8');
    const imported = [...text.matchAll(/^(?:import|\} from) "(\.[^"]+)";$|import\("(\.[^"]+)"\)/gm)];
    for (const [, now, later = now] of imported) if (later !== undefined) found.add(join(dirname(path), later));
  }
  return [...found];
}

function filesBelow(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map((entry) => relative(directory, join(entry.parentPath, entry.name))).sort();
}

/** Apart from the npm that runs the tests: without its settings, its cache, and any registry. */
async function npm(cwd: string, ...words: readonly string[]): Promise<void> {
  const quiet = { npm_config_audit: 'false', npm_config_update_notifier: 'false' };
  const env = { PATH: process.env['PATH'], HOME: folder, npm_config_cache: join(folder, 'cache'), npm_config_offline: 'true', ...quiet };
  await run('npm', [...words], { cwd, env });
}

function isCompiled(path: string): boolean {
  return path.endsWith('.ts') && !PAGE.test(path);
}
