/** The benchmarks cannot rot: the least share of each runs with the tests. What it measures means nothing, what it checks does. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { serverUrl } from '../support/postgres/postgres.ts';
import type { Run } from '../../bench/suite/run-result.ts';
import { WORKLOADS } from '../../bench/workloads/workloads.ts';

const REPOSITORY = join(import.meta.dirname, '../..');

test('each workload measures what it has a target for, and finds that what it was told is right', { timeout: 300_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'armature-results-'));
  const names = WORKLOADS.map(({ name }) => name); // Also those that take very long where they are not this small.
  const share = ['bench/run.ts', ...names, '--size', '0.0005', '--rounds', '1', '--together', await serverUrl(), '--into', directory];
  await promisify(execFile)('node_modules/.bin/tsx', share, { cwd: REPOSITORY }).catch(() => {}); // What fails is in the results.
  const { results } = JSON.parse(readFileSync(join(directory, 'latest.json'), 'utf8')) as Run;
  const chart = readFileSync(join(directory, 'latest.svg'), 'utf8');
  rmSync(directory, { recursive: true });

  const targets = results.map(({ name, figures }) => [name, figures.filter(({ target }) => target !== undefined).map(({ what }) => what)]);
  const measured = results.filter(({ figures }) => figures.some(({ timesTarget }) => timesTarget !== undefined));
  expect({ targets, failures: results.flatMap(({ failure = [] }) => failure) }).toEqual({
    targets: WORKLOADS.map((workload) => [workload.name, Object.keys(workload.targets)]),
    failures: [],
  });
  expect([...chart.matchAll(/<text x="24" y="\d+">([^<]*)</g)].map(([, name]) => name)).toEqual(measured.map(({ name }) => name));
});
