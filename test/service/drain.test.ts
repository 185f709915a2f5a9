/**
 * A signal while clients wait: each is answered as if its time were over, and the process ends well and soon. A second one ends it at
 * once.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { processesOn } from '../support/processes.ts';
import { healthOf, startServiceProcess } from '../support/service/service-process.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';

const storageDirectory = mkdtempSync(join(tmpdir(), 'armature-drain-'));
const WAITING = 50;
let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
  await database.query("CREATE TABLE items (id integer PRIMARY KEY, title text); INSERT INTO items VALUES (1, 'one')");
});

afterAll(async () => {
  await database.drop();
  rmSync(storageDirectory, { recursive: true, force: true });
});

const start = () => startServiceProcess({ databaseUrl: database.url, storageDirectory });

test.each(['SIGTERM', 'SIGHUP'] as const)('%s: parked long-polls are answered, what was taken is kept, nothing is left', async (signal) => {
  const service = await start();
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const { handle = '', offset } = follower;
  const polls = Array.from({ length: WAITING }, () => readShape(service.shapeUrl, { table: 'items', offset, handle, live: 'true' }));
  for (let later = 0; later < 5; later += 1) await healthOf(service); // Who came before has been heard by then.

  const exited = once(service.child, 'exit');
  service.child.kill(signal);
  await exited;

  const answers = await Promise.all(polls);
  const again = await start();
  const { handle: handleAfter } = await readShape(again.shapeUrl, { table: 'items', offset: '-1' });
  await again.stop();
  expect({
    answers: new Set(answers.map((answer) => [answer.status, answer.offset, answer.upToDate, answer.messages.length].join(' '))),
    exit: service.child.exitCode,
    left: processesOn(storageDirectory),
    handleAfter,
  }).toEqual({ answers: new Set([`200 ${offset} true 1`]), exit: 0, left: [], handleAfter: handle });
});

test('a second signal ends it at once', async () => {
  const service = await start();
  const exited = once(service.child, 'exit');

  service.child.kill('SIGTERM');
  service.child.kill('SIGHUP'); // Two of one kind may be one to who has not looked in between.
  await exited;

  expect(service.child.exitCode).toBe(130);
});
