/**
 * A Postgres of our own, for the demo and for tests: made with initdb in a folder, started on a loopback port.
 *
 * A cluster must never have two masters, and a crash of ours must never make it unusable. So initdb works in a folder
 * that is renamed only when whole; a server that outlived its parent is shut down and the cluster taken over; one
 * whose parent lives is left alone. The server leads a process group of its own: Ctrl-C is for us to hand on, after
 * our own drain.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, openSync, closeSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { invariant } from '../base/invariant.ts';
import { systemClock, type Clock } from '../base/clock.ts';
import { pause } from '../base/pause.ts';
import { connect } from '../postgres/connection/connection.ts';
import { DatabaseRefusedError, DatabaseUnreachableError } from '../postgres/connection/database-error.ts';
import { type DatabaseTarget, isProblem, parseDatabaseUrl } from '../settings/database-url.ts';
import { type EmbeddedBinaries, embeddedBinaries } from './embedded-binaries.ts';
import { EmbeddedPostgresError } from './embedded-error.ts';
import { claimCluster, dataOf, signalsThatStop } from './embedded-cluster.ts';
import { type Launcher, launcherFor } from './embedded-user.ts';

export interface EmbeddedPostgresOptions {
  /** Holds the cluster, its password and its log; made when missing, kept when the server stops. */
  readonly directory: string;
  /** A loopback port; any free one when left out. */
  readonly port?: number;
  /** Server settings beyond those that Armature needs. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told what begins: the cluster is made, which takes seconds the first time; the server is started. */
  readonly onProgress?: (step: EmbeddedPostgresStep) => void;
  /** Another Postgres than npm's. */
  readonly binaries?: EmbeddedBinaries;
  readonly clock?: Clock;
}

export type EmbeddedPostgresStep = 'cluster' | 'postgres';

export interface EmbeddedPostgres {
  /** With the superuser's name and password; the database is `postgres`. */
  readonly url: string;
  readonly port: number;
  /** Resolves when the server process has ended, for whatever reason. */
  readonly exited: Promise<void>;
  /** Fast shutdown; when that takes too long, immediate; at last, by force. Resolves when no process is left. */
  stop(): Promise<void>;
}

const START_MS_MAX = 60_000;
const POLL_MS = 25;
const ANSWER_MS_MAX = 2_000;
const FREE_PORT_TRIES = 3;
const LOG_TAIL_CHARACTERS = 600;

/** @throws {EmbeddedPostgresError} nothing of ours is left running. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { clock = systemClock, onProgress = () => {} } = options;
  const directory = resolve(options.directory);
  mkdirSync(directory, { recursive: true });
  const { binaries = embeddedBinaries() } = options;
  const launcher = launcherFor(directory, binaries.postgres);
  own(directory, 0o700, launcher);
  const release = await claimCluster(directory, clock);
  try {
    const password = passwordOf(directory, launcher);
    if (!existsSync(dataOf(directory))) {
      onProgress('cluster');
      await initialise(directory, binaries, launcher);
    }
    onProgress('postgres');
    const server = await startOnPort({ ...options, directory, clock }, { binaries, launcher, password });
    void server.exited.then(release);
    return server;
  } catch (error) {
    release();
    throw error;
  }
}

interface Installation {
  readonly binaries: EmbeddedBinaries;
  readonly launcher: Launcher;
  readonly password: string;
}

type StartOptions = EmbeddedPostgresOptions & { readonly clock: Clock };

/** A free port may be taken by somebody else before the server binds it; then another one is tried. */
async function startOnPort(options: StartOptions, installation: Installation): Promise<EmbeddedPostgres> {
  for (let tries = 1; ; tries += 1) {
    const port = options.port ?? (await freePort());
    const outcome = await startServer(options, installation, port);
    if (typeof outcome !== 'string') return outcome;
    const mayTryAnother = options.port === undefined && outcome.includes('could not bind') && tries < FREE_PORT_TRIES;
    if (!mayTryAnother) throw startFailed(port, outcome);
  }
}

/** @returns the end of the server's log when it did not start. */
async function startServer(options: StartOptions, installation: Installation, port: number): Promise<EmbeddedPostgres | string> {
  const { directory, clock } = options;
  const logFile = join(directory, 'postgres.log');
  const child = spawnServer(options, installation, port, logFile);
  const exited = new Promise<void>((done) => {
    child.once('exit', () => done());
    child.once('error', () => done());
  });
  const url = `postgresql://postgres:${installation.password}@127.0.0.1:${port}/postgres`;
  const stop = (): Promise<void> => stopServer(child, exited, clock);
  try {
    if (await becomesReady(url, child, clock)) return { url, port, exited, stop };
  } catch (error) {
    await stop();
    throw error;
  }
  await stop();
  return readFileSync(logFile, 'utf8').slice(-LOG_TAIL_CHARACTERS).trim();
}

function spawnServer(
  { directory, settings }: StartOptions,
  { binaries, launcher }: Installation,
  port: number,
  logFile: string,
): ChildProcess {
  const { command, args, ...identity } = launcher.wrap(binaries.postgres, [
    '-D',
    dataOf(directory),
    ...settingsArgs({ ...REQUIRED_SETTINGS, ...settings, port: String(port) }),
  ]);
  const log = openSync(logFile, 'w');
  try {
    return spawn(command, args, { ...identity, cwd: '/', detached: true, stdio: ['ignore', log, log], env: serverEnv() });
  } finally {
    closeSync(log);
  }
}

const REQUIRED_SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '', // No path can be too long, no folder unwritable.
  wal_level: 'logical',
  max_replication_slots: '20',
  max_wal_senders: '20',
};

function settingsArgs(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Without the variables by which a user's own Postgres tools are steered. */
function serverEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], TZ: 'UTC', LC_ALL: 'C' };
}

async function becomesReady(url: string, child: ChildProcess, clock: Clock): Promise<boolean> {
  const target = parseDatabaseUrl(url);
  invariant(!isProblem(target), 'we write good URLs');
  const deadline = clock.nowMs() + START_MS_MAX;
  while (!hasEnded(child) && clock.nowMs() < deadline) {
    if (await answers({ ...target, sslMode: 'disable' })) return true;
    await pause(clock, POLL_MS);
  }
  return false;
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

/** @throws {EmbeddedPostgresError} it answers, but does not let us in. */
async function answers(target: DatabaseTarget): Promise<boolean> {
  try {
    const client = await connect(target, { applicationName: 'armature', timeoutMs: ANSWER_MS_MAX });
    await client.end();
    return true;
  } catch (error) {
    if (error instanceof DatabaseUnreachableError) return false;
    if (!(error instanceof DatabaseRefusedError)) throw error;
    throw new EmbeddedPostgresError(
      'start_failed',
      `The embedded Postgres does not let its owner in (${error.message}). Remove its folder to begin anew.`,
    );
  }
}

async function stopServer(child: ChildProcess, exited: Promise<void>, clock: Clock): Promise<void> {
  const ended = new AbortController(); // A timer that is left would keep our own process for as long.
  void exited.then(() => ended.abort());
  for (const { signal, patienceMs } of signalsThatStop) {
    if (hasEnded(child)) break;
    child.kill(signal);
    await pause(clock, patienceMs, ended.signal);
  }
  await exited;
}

async function initialise(directory: string, binaries: EmbeddedBinaries, launcher: Launcher): Promise<void> {
  const unfinished = join(directory, 'data.unfinished');
  rmSync(unfinished, { recursive: true, force: true });
  const { command, args, ...identity } = launcher.wrap(binaries.initdb, [
    '-D', unfinished, '--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile(directory)}`,
    '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions',
  ]);
  // Like the server a group of its own: at Ctrl-C a cluster is made to its end, and we stop behind it.
  const output = await outputOf(spawn(command, args, { ...identity, cwd: '/', detached: true, env: serverEnv() }));
  if (output.code !== 0) {
    throw new EmbeddedPostgresError('initdb_failed', `initdb could not make a cluster in ${directory}: ${output.text.trim()}`);
  }
  renameSync(unfinished, dataOf(directory));
}

async function outputOf(child: ChildProcess): Promise<{ code: number | null; text: string }> {
  let text = '';
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-LOG_TAIL_CHARACTERS);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return await new Promise((done) => {
    child.once('close', (code) => done({ code, text }));
    child.once('error', (error) => done({ code: null, text: error.message }));
  });
}

function passwordFile(directory: string): string {
  return join(directory, 'password');
}

function passwordOf(directory: string, launcher: Launcher): string {
  const file = passwordFile(directory);
  if (!existsSync(file)) {
    writeFileSync(file, randomBytes(24).toString('hex'), { mode: 0o600 });
    own(file, 0o600, launcher);
  }
  return readFileSync(file, 'utf8').trim();
}

function own(path: string, mode: number, { owner }: Launcher): void {
  if (owner !== undefined) chownSync(path, owner, owner);
  chmodSync(path, mode);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, failed) => server.once('error', failed).listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

function startFailed(port: number, log: string): EmbeddedPostgresError {
  const what = log.includes('could not bind')
    ? `Port ${port} is taken: choose another one, or none.`
    : 'See the end of its log:';
  return new EmbeddedPostgresError('start_failed', `The embedded Postgres did not start. ${what} ${log}`.trim());
}
