/** Debian's PgBouncer before a server, in transaction mode: one session of each database, lent to one transaction after the other. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { systemClock } from '../../../src/base/clock.ts';
import { pause } from '../../../src/base/pause.ts';
import { freePort } from '../service/service-process.ts';
import { enterProcess } from '../service/running-processes.ts';
import { urlWith } from './database-url.ts';

export interface PgBouncer {
  /** The same database, by way of the pooler. */
  readonly url: string;
  /** From now on nobody is lent a session; resolves when all of them have been given back. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** It refuses to run as root. */
const NOBODY = 65_534;
const LOOK_EVERY_MS = 20;

/** @param databaseUrl with the role's password. @throws where PgBouncer is not installed. */
export async function startPgBouncer(databaseUrl: string): Promise<PgBouncer> {
  const directory = mkdtempSync(join(tmpdir(), 'armature-pgbouncer-'));
  const port = await freePort();
  writeConfiguration(directory, port, new URL(databaseUrl));
  const identity = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const child = spawn('pgbouncer', [join(directory, 'pgbouncer.ini')], {
    ...identity, env: { PATH: `${process.env['PATH']}:/usr/sbin` }, stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  const failed = new Promise<never>((_, reject) => {
    child.once('error', () => reject(new Error('This test needs PgBouncer, which is not here: apt-get install pgbouncer')));
    child.once('exit', () => reject(new Error(`PgBouncer ended: ${output}`)));
  });
  failed.catch(() => {}); // Who waits for its start hears of it; it ends when the test does.
  if (child.pid !== undefined) enterProcess(child);
  await Promise.race([answers(port), failed]);
  const url = urlWith(databaseUrl, { port: String(port) });
  return {
    url,
    pause: () => command(url, 'PAUSE'),
    resume: () => command(url, 'RESUME'),
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function writeConfiguration(directory: string, port: number, { hostname, port: serverPort, username, password }: URL): void {
  chmodSync(directory, 0o755);
  writeFileSync(join(directory, 'users.txt'), `"${username}" "${decodeURIComponent(password)}"\n`);
  writeFileSync(
    join(directory, 'pgbouncer.ini'),
    `[databases]
* = host=${hostname} port=${serverPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${join(directory, 'users.txt')}
admin_users = ${username}
pool_mode = transaction
default_pool_size = 1
`,
  );
}

/** Of its console. */
async function command(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: urlWith(url, { pathname: '/pgbouncer' }) });
  await client.connect();
  await client.query(sql);
  await client.end();
}

async function answers(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(() => true, () => false);
    socket.destroy();
    if (isOpen) return;
    await pause(systemClock, LOOK_EVERY_MS);
  }
}
