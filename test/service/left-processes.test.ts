/** A test that fails leaves no process behind, and no service in this one: what it started, and did not stop, ends with it, or its file. */
import { spawn, type ChildProcess } from 'node:child_process';
import { beforeAll, expect, test } from 'vitest';
import { createDatabase } from '../support/postgres/postgres.ts';
import { enterProcess } from '../support/service/running-processes.ts';
import { removeLeftServices } from '../support/service/running-services.ts';
import { healthOf } from '../support/service/service-process.ts';
import { startServiceInProcess } from '../support/service/service.ts';

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

test('a service in this process that nobody has stopped is stopped with the file, and one that was stopped is left alone', async ({
  onTestFinished,
}) => {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const flags = { storage: 'memory' };
  const [left, stopped] = [
    await startServiceInProcess({ databaseUrl: database.url, flags }),
    await startServiceInProcess({ databaseUrl: database.url, flags: { ...flags, 'replication-stream-id': 'other' }, mayWait: true }),
  ];
  await stopped.remove();
  const before = await healthOf(left);
  await removeLeftServices();

  expect([before, await healthOf(left), await healthOf(stopped)]).toEqual(['active', 'unreachable', 'unreachable']);
});
