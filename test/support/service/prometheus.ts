/** Prometheus itself, as an operator runs it: its tool for rules, and a server that scrapes a service on this machine. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { enterProcess } from './running-processes.ts';
import { freePort } from './service-process.ts';

const run = promisify(execFile);

export interface Prometheus {
  /** The values of each series that the expression has now; NaN where there is no number. @throws when it cannot be parsed. */
  query(expression: string): Promise<readonly number[]>;
  stop(): Promise<void>;
}

/** @returns what it prints. @throws when it refuses, or is not there. */
export async function promtool(...args: readonly string[]): Promise<string> {
  try {
    return (await run('promtool', [...args])).stdout;
  } catch (error) {
    throw new Error('promtool refuses it, or cannot be run (Debian has it in the package prometheus)', { cause: error });
  }
}

/** @param metricsUrl `http://127.0.0.1:9090/metrics`, scraped twice a second. */
export async function startPrometheus(metricsUrl: string): Promise<Prometheus> {
  const directory = mkdtempSync(join(tmpdir(), 'armature-prometheus-'));
  writeFileSync(join(directory, 'prometheus.yml'), configuration(new URL(metricsUrl).host));
  const address = `127.0.0.1:${await freePort()}`;
  const files = [`--config.file=${join(directory, 'prometheus.yml')}`, `--storage.tsdb.path=${join(directory, 'data')}`];
  const child = spawn('prometheus', [...files, `--web.listen-address=${address}`, '--log.level=error'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  enterProcess(child);
  let printed = '';
  child.stderr.on('data', (piece) => (printed += String(piece)));
  let failure: string | undefined;
  const ended = once(child, 'exit').then(
    () => (failure = `Prometheus ended: ${printed}`),
    (error: unknown) => (failure = `Prometheus cannot be run (Debian has it as prometheus): ${String(error)}`),
  );
  while (!(await isReady(address))) {
    if (failure !== undefined) throw new Error(failure);
  }
  return {
    query: (expression) => query(address, expression),
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function configuration(target: string): string {
  return `
    scrape_configs:
      - job_name: armature
        scrape_interval: 500ms
        scrape_timeout: 500ms
        static_configs: [{ targets: ['${target}'] }]`;
}

async function isReady(address: string): Promise<boolean> {
  const response = await fetch(`http://${address}/-/ready`).catch(() => undefined);
  return response?.ok === true;
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

async function query(address: string, expression: string): Promise<readonly number[]> {
  const response = await fetch(`http://${address}/api/v1/query?query=${encodeURIComponent(expression)}`);
  const { data, error } = (await response.json()) as Answer;
  if (data === undefined) throw new Error(`Prometheus refuses ${expression}: ${error ?? ''}`);
  return data.result.map(({ value: [, text] }) => Number(text));
}
