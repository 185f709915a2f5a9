/**
 * nginx as one would put it before the service: it keeps what may be kept, joins equal requests that come at once, and passes
 * event streams on as they come. An answer says in `x-cache` where it came from.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enterProcess } from '../service/running-processes.ts';
import { freePort } from '../service/service-process.ts';

export interface CachingProxy {
  readonly url: string;
  /** Requests that have come and wait for their answer. */
  waitingCount(): Promise<number>;
  stop(): Promise<void>;
}

/** A request that waits for another one's answer waits longer than a long-poll takes. */
const LOCK_SECONDS = 40;

/** @param origin `http://127.0.0.1:3000`. @throws when nginx is not there, or refuses its configuration. */
export async function startCachingProxy(origin: string): Promise<CachingProxy> {
  const directory = mkdtempSync(join(tmpdir(), 'armature-nginx-'));
  mkdirSync(join(directory, 'bodies'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  writeFileSync(join(directory, 'nginx.conf'), configuration(directory, port, origin));
  const child = spawn('nginx', ['-p', directory, '-c', 'nginx.conf', '-e', 'stderr'], {
    env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` }, stdio: ['ignore', 'ignore', 'pipe'],
  });
  enterProcess(child);
  let printed = '';
  child.stderr.on('data', (piece) => (printed += String(piece)));
  let failure: string | undefined;
  const ended = once(child, 'exit').then(
    () => (failure = `nginx ended: ${printed}`),
    (error: unknown) => (failure = `nginx cannot be run (Debian has it as nginx-light): ${String(error)}`),
  );
  while (!(await isServing(url))) {
    if (failure !== undefined) throw new Error(failure);
  }
  return {
    url,
    async waitingCount() {
      const text = await (await fetch(`${url}/nginx-status`)).text();
      return Number(/Writing: (\d+)/.exec(text)?.[1]) - 1; // This one is written too.
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function isServing(url: string): Promise<boolean> {
  const response = await fetch(`${url}/nginx-status`).catch(() => undefined);
  return response?.ok === true;
}

function configuration(directory: string, port: number, origin: string): string {
  const bodies = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${directory}/bodies/${name};`);
  return `
    daemon off;
    master_process off;
    pid ${directory}/nginx.pid;
    worker_rlimit_nofile 20000;
    events { worker_connections 8192; }
    http {
      access_log off;
      ${bodies.join('\n      ')}
      proxy_cache_path ${directory}/cache levels=1:2 keys_zone=shapes:16m;
      map $arg_live_sse $is_stream { default 1; '' 0; false 0; }
      server {
        listen 127.0.0.1:${port} backlog=4096;
        location = /nginx-status { stub_status; }
        location / {
          proxy_pass ${origin};
          proxy_http_version 1.1;
          proxy_set_header Connection '';
          proxy_cache shapes;
          proxy_cache_key $request_uri;
          proxy_cache_methods GET HEAD;
          proxy_cache_lock on;
          proxy_cache_lock_timeout ${LOCK_SECONDS}s;
          proxy_cache_lock_age ${LOCK_SECONDS}s;
          proxy_cache_revalidate on;
          proxy_cache_background_update on;
          proxy_cache_bypass $is_stream;
          proxy_no_cache $is_stream;
          add_header x-cache $upstream_cache_status always;
        }
      }
    }`;
}
