/** What a run has measured, for those who compare runs: a JSON file, and beside it the chart. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { chartOf } from './chart.ts';
import type { Result, Run } from './run-result.ts';

export function runOf(rounds: number, results: readonly Result[]): Run {
  const processors = cpus();
  return {
    commit: commitOf(),
    date: new Date(systemClock.wallMs()).toISOString().slice(0, 10),
    node: process.version,
    processors: `${processors.length} × ${processors[0]?.model ?? 'unknown'}`,
    rounds,
    results,
  };
}

/** `name`.json and `name`.svg in `directory`. */
export function writeRun(run: Run, directory: string, name: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${name}.json`), `${JSON.stringify(run, undefined, 1)}\n`);
  writeFileSync(join(directory, `${name}.svg`), chartOf(run));
}

/** A package has none. */
function commitOf(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short=8', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
}
