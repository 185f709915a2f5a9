import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Clock, systemClock, type TimerId } from '../../src/base/clock.ts';
import { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { EmbeddedPostgresError } from '../../src/demo/embedded-error.ts';

/** Private, as mktemp makes it: as root, nobody else may enter. */
let root: string;
let directory: string;
const started: EmbeddedPostgres[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'armature-embedded-'));
  directory = join(root, 'checkout/.armature/postgres');
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
  rmSync(root, { recursive: true, force: true });
});

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ directory, settings: { fsync: 'off' }, ...options });
  started.push(server);
  return server;
}

async function ask(server: EmbeddedPostgres, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  const { rows } = await client.query<Record<string, unknown>>(sql);
  await client.end();
  return rows;
}

function serverPid(): number {
  return Number.parseInt(readFileSync(join(directory, 'data/postmaster.pid'), 'utf8'), 10);
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}/cwd`) && !/ Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}

test('runs with logical decoding, UTF-8 and the C locale, on the loopback address alone, in a private folder', async () => {
  const server = await start();

  const settings = await ask(server, `
    SELECT current_setting('wal_level') AS wal, pg_encoding_to_char(encoding) AS encoding, datcollate,
           current_setting('listen_addresses') AS address, current_setting('unix_socket_directories') AS sockets
    FROM pg_database WHERE datname = current_database()`);

  expect(settings).toEqual([{ wal: 'logical', encoding: 'UTF8', datcollate: 'C', address: '127.0.0.1', sockets: '' }]);
});

/** What it sets a timer for keeps its process from ending. */
function timerCounting(): { readonly clock: Clock; readonly timers: ReadonlySet<TimerId> } {
  const timers = new Set<TimerId>();
  const setTimer: Clock['setTimer'] = (callback, delayMs) => {
    const timer = systemClock.setTimer(() => {
      timers.delete(timer);
      callback();
    }, delayMs);
    timers.add(timer);
    return timer;
  };
  const clearTimer: Clock['clearTimer'] = (timer) => {
    timers.delete(timer);
    systemClock.clearTimer(timer);
  };
  return { clock: { ...systemClock, setTimer, clearTimer }, timers };
}

test('keeps its data and its password, tells what it does, and leaves neither a process nor a timer behind', async () => {
  const steps: string[] = [];
  const { clock, timers } = timerCounting();
  const first = await start({ onProgress: (step) => steps.push(step), clock });
  await ask(first, 'CREATE TABLE kept AS SELECT 42 AS answer');
  const pid = serverPid();
  await first.stop();
  const left = { process: isAlive(pid), timers: timers.size };

  const second = await start({ onProgress: (step) => steps.push(step) });

  expect({ left, kept: await ask(second, 'TABLE kept'), steps }).toEqual({
    left: { process: false, timers: 0 },
    kept: [{ answer: 42 }],
    steps: ['cluster', 'postgres', 'postgres'],
  });
});

test('starts after a crash, also when its process id was given to somebody else', async () => {
  const first = await start();
  process.kill(serverPid(), 'SIGKILL');
  await first.exited;
  const stale = readFileSync(join(directory, 'data/postmaster.pid'), 'utf8').split('\n');
  const stranger = spawn('sleep', ['60']);
  writeFileSync(join(directory, 'data/postmaster.pid'), [stranger.pid, ...stale.slice(1)].join('\n'));

  const second = await start();
  const rows = await ask(second, 'SELECT 1 AS one');
  const isUnharmed = stranger.exitCode === null && stranger.signalCode === null;
  stranger.kill();

  expect({ rows, isUnharmed }).toEqual({ rows: [{ one: 1 }], isUnharmed: true });
});

test('begins anew when initdb was interrupted', async () => {
  mkdirSync(join(directory, 'data.unfinished/base'), { recursive: true });

  const server = await start();

  expect(await ask(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('takes over from a parent that was killed, and leaves one alone that lives', async () => {
  const parent = spawnParent();
  await parent.isReady;
  const pid = serverPid();
  const [refused] = await Promise.allSettled([start()]);
  parent.process.kill('SIGKILL');
  await parent.hasEnded;

  const server = await start();

  const code = refused?.status === 'rejected' && refused.reason instanceof EmbeddedPostgresError ? refused.reason.code : undefined;
  expect({ code, rows: await ask(server, 'SELECT 1 AS one'), old: isAlive(pid) }).toEqual({
    code: 'in_use',
    rows: [{ one: 1 }],
    old: false,
  });
});

test('says that the given port is taken', async () => {
  const other = createServer();
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));

  const [outcome] = await Promise.allSettled([start({ port: (other.address() as AddressInfo).port })]);

  other.close();
  expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'start_failed', message: expect.stringContaining('is taken') } });
});

/** Another process of ours that starts the same cluster and never stops it. */
function spawnParent(): { process: ChildProcess; isReady: Promise<void>; hasEnded: Promise<void> } {
  const module = new URL('../../src/demo/embedded-postgres.ts', import.meta.url).href;
  const script = `const { startEmbeddedPostgres } = await import(${JSON.stringify(module)});
    await startEmbeddedPostgres({ directory: ${JSON.stringify(directory)}, settings: { fsync: 'off' } });
    console.log('ready'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  return {
    process: child,
    isReady: new Promise<void>((done) => child.stdout.once('data', () => done())),
    hasEnded: new Promise<void>((done) => child.once('exit', () => done())),
  };
}
