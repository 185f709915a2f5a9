/** A disk that answers nothing any more, as a network's may: whoever wants to end the program does not wait for it. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createDatabase } from '../support/postgres/postgres.ts';
import { hurry, QUICK_TIME_LATER } from '../support/service/quick-time.ts';
import { spawnService, type ServiceProcess } from '../support/service/service-process.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

const directory = temporaryDirectory();
const database = await createDatabase();
let tests = 0;
let service: ServiceProcess;

afterAll(async () => {
  await database.drop();
  removeDirectory(directory);
});

/** What opens a pipe that nobody writes waits for ever. */
beforeEach(async () => {
  const storageDirectory = join(directory, String((tests += 1)));
  const checkpoints = join(storageDirectory, 'checkpoint');
  mkdirSync(checkpoints, { recursive: true });
  execFileSync('mkfifo', [join(checkpoints, '0000000000000001.checkpoint')]);
  const environment = { ...QUICK_TIME_LATER, ARMATURE_DRAIN_TIMEOUT: '0' };
  service = await spawnService({ databaseUrl: database.url, storageDirectory, environment });
  await database.until(`
    SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'armature%'`);
  hurry(service);
});

test('who has asked the program to end, and waits, reads what it waited for, and it ends', async () => {
  const exited = once(service.child, 'exit');
  service.child.kill('SIGTERM');

  const [code, signal] = await exited;

  expect({ code, signal, said: service.output() }).toEqual({
    code: null,
    signal: 'SIGKILL',
    said: expect.stringContaining('it did not end within 20 s (left: its start), and ends now'),
  });
});

test('who asks again and again does not wait', async () => {
  const { child } = service;

  await expect.poll(() => {
    child.kill('SIGINT'); // The first drains, the second waits for the disk, and behind it nobody holds off what the system does.
    return child.signalCode ?? child.exitCode; // A code where the disk has yet to be asked.
  }, { interval: 500 }).not.toBeNull();
});
