/** The benchmark of the process layer cannot rot: a tiny share of every row runs with the tests. What it measures here means nothing. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../..');

test("every row of the process layer's benchmark is measured, with its unit and its bound", { timeout: 300_000 }, async () => {
  const { stdout } = await promisify(execFile)(
    'node_modules/.bin/tsx',
    ['--tsconfig', 'tsconfig.dist.json', 'bench/otp/run.ts', '--share', '0.005', '--rounds', '1', '--report'],
    { cwd: REPOSITORY },
  );

  expect(stdout.split('\n').map(shape)).toEqual([
    'measured against result at most',
    'message between two 5-state machines: send, bare sendTo | µs µs × ≤ 1.20 ×',
    'start and stop of a process, bare createActor | µs µs × ≤ 2.00 ×',
    'asked of a dynamic supervisor, answered twice | µs µs ×',
    'stop of 100 children, dynamic: twice as many as before | ms ms × ≤ 2.30 ×',
    'stop of 200 children, dynamic: twice as many as before | ms ms ×',
    'stop of 100 children, one by one: twice as many as before | ms ms × ≤ 2.30 ×',
    'stop of 200 children, one by one: twice as many as before | ms ms ×',
    '500 processes that hibernate, spawned | B MB ≤ 20.0 MB',
    '500 processes that hibernate, of a dynamic supervisor | B MB',
    'wake, one event, hibernate | µs µs ≤ 60.00 µs',
    'message with the trace off, a build that cannot trace | µs µs % ≤ 3.00 %',
    'message after a listener has left, before one had come | µs µs % ≤ 3.00 %',
    '',
  ]);
});

/** A printed row without what differs from run to run: its words, the units of its figures, its bound. */
function shape(line: string): string {
  const [what = '', ...figures] = line.trim().split(/ {2,}/);
  if (!figures.some((figure) => /\d/.test(figure))) return [what, ...figures].join(' ');
  const bound = /holds|FAILS/.test(figures.at(-1) ?? '') ? ` ≤ ${figures.at(-2)}` : '';
  const measured = bound === '' ? figures : figures.slice(0, -2);
  return `${what} | ${measured.map((figure) => figure.replace(/^-?[\d.]+ /, '')).join(' ')}${bound}`;
}
