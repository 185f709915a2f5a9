/** A test that fails leaves no process behind: what it started, and did not stop, ends with it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { beforeAll, expect, test } from 'vitest';
import { enterProcess } from '../support/service/running-processes.ts';

let ofFile: ChildProcess;
let ofTest: ChildProcess;

function startIdle(): ChildProcess {
  const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 60_000)'], { stdio: 'ignore' });
  enterProcess(child);
  return child;
}

beforeAll(() => {
  ofFile = startIdle();
});

test('a process that a test starts lives while the test does', () => {
  ofTest = startIdle();

  expect(ofTest.signalCode).toBeNull();
});

test('it has ended with that test, and one that the whole file uses has not', () => {
  expect([ofTest, ofFile].map(({ signalCode }) => signalCode)).toEqual(['SIGKILL', null]);
});
