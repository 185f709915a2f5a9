/**
 * The built service as a child process over HTTP, as a user runs it. Its port is one that was free, its storage is
 * a directory of the test's, and what it prints is kept for the message of a test that fails.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../../src/base/clock.ts';
import { streamIdOf } from '../postgres/postgres.ts';
import { enterProcess } from './running-processes.ts';

const CLI = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
/** On a busy machine it takes long; only one that hangs takes longer. */
export const START_WITHIN_MS = 120_000;
const ASK_EVERY_MS = 20;

export interface ServiceProcess {
  readonly url: string;
  readonly shapeUrl: string;
  readonly child: ChildProcess;
  /** Everything printed so far, both streams. */
  readonly output: () => string;
  /** SIGKILL: nothing is given back, nothing is written. */
  kill(): Promise<void>;
  /** SIGTERM: drains. Resolves with the exit code. */
  stop(): Promise<number | null>;
}

export interface ServiceOptions {
  readonly databaseUrl: string;
  readonly storageDirectory: string;
  /** The same port again after a restart, so that a client reconnects. */
  readonly port?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** How many files it may have open; as many as this process if it is left out. */
  readonly openFilesMax?: number;
}

/** Starts the service and waits until health says that it is active. */
export async function startServiceProcess(options: ServiceOptions): Promise<ServiceProcess> {
  const service = await spawnService(options);
  await untilActive(service);
  return service;
}

/** Starts the service and does not wait for it. */
export async function spawnService(options: ServiceOptions): Promise<ServiceProcess> {
  const port = options.port ?? (await freePort());
  const [command, ...rest] = commandOf(options);
  const child = spawn(command, rest, {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: options.databaseUrl,
      ARMATURE_INSECURE: 'true',
      ARMATURE_PORT: String(port),
      ARMATURE_STORAGE_DIR: options.storageDirectory,
      ARMATURE_REPLICATION_STREAM_ID: streamIdOf(options.databaseUrl),
      ...options.environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  enterProcess(child);
  let printed = '';
  child.stdout.on('data', (chunk) => (printed += String(chunk)));
  child.stderr.on('data', (chunk) => (printed += String(chunk)));
  const exited = once(child, 'exit');
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> => {
    child.kill(signal);
    await exited;
    return child.exitCode;
  };
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    shapeUrl: `${url}/v1/shape`,
    child,
    output: () => printed,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  };
}

function commandOf({ openFilesMax }: ServiceOptions): readonly [string, ...string[]] {
  const start = [process.execPath, CLI, 'start'] as const;
  return openFilesMax === undefined ? start : ['/bin/sh', '-c', 'ulimit -n "$0" && exec "$@"', String(openFilesMax), ...start];
}

/** @throws when the service ended, or was not active in time, with what it printed. */
export async function untilActive(service: ServiceProcess): Promise<void> {
  const deadline = AbortSignal.timeout(START_WITHIN_MS);
  for (;;) {
    const status = await healthOf(service);
    if (status === 'active') return;
    if (deadline.aborted || service.child.exitCode !== null) {
      throw new Error(`not active (${status}); it printed:\n${service.output()}`);
    }
    await new Promise<void>((next) => {
      systemClock.setTimer(next, ASK_EVERY_MS);
    });
  }
}

/** What health says; `unreachable` while nobody listens. */
export async function healthOf({ url }: Pick<ServiceProcess, 'url'>): Promise<string> {
  const response = await fetch(`${url}/v1/health`).catch(() => undefined);
  if (response === undefined) return 'unreachable';
  const { status } = (await response.json()) as { status: string };
  return status;
}

/** Below those that systems give to connections which go out: one of these would take it before a start, or between two. */
const PORTS = { first: 20_000, count: 12_000 };

/** A port that was free a moment ago, and that no connection takes by chance. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + randomInt(PORTS.count);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  const isListening = await once(server, 'listening').then(() => true, () => false);
  if (isListening) await once(server.close(), 'close');
  return isListening;
}
