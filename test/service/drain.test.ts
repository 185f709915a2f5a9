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
import { rawConnection } from '../support/http/raw-connection.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';
import { OBSERVED, untilStored } from '../support/service/stored-shapes.ts';

const storageDirectory = mkdtempSync(join(tmpdir(), 'armature-drain-'));
const WAITING = 50;
let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
  await database.query("CREATE TABLE items (id integer PRIMARY KEY, title text); INSERT INTO items VALUES (1, 'one')");
  await database.query(`
    CREATE TABLE large (id integer PRIMARY KEY, title text);
    INSERT INTO large SELECT n, repeat('x', 1000) FROM generate_series(1, 20000) AS n`);
});

afterAll(async () => {
  await database.drop();
  rmSync(storageDirectory, { recursive: true, force: true });
});

const start = () => startServiceProcess({ databaseUrl: database.url, storageDirectory, environment: OBSERVED });

test.each(['SIGTERM', 'SIGHUP'] as const)('%s: parked long-polls are answered, what was taken is kept, nothing is left', async (signal) => {
  const service = await start();
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const { handle = '', offset } = follower;
  await untilStored(service);
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

/** One that takes longer than is set, and twenty seconds for what else it does at the end, exits with 1. */
test.each(['SIGTERM', 'SIGHUP'] as const)('%s: clients that take nothing, or never come to an end, are left behind', async (signal) => {
  const environment = { ARMATURE_DRAIN_TIMEOUT: '500ms', ARMATURE_TCP_SEND_TIMEOUT: '60s', ARMATURE_TCP_READ_TIMEOUT: '60s' };
  const service = await startServiceProcess({ databaseUrl: database.url, storageDirectory, environment });
  await new ShapeFollower(service.shapeUrl, { table: 'large' }).catchUp();
  const port = Number(new URL(service.url).port);
  const slow = await rawConnection(port, 'GET /v1/shape?table=large&offset=-1 HTTP/1.1\r\nHost: a\r\n\r\n');
  slow.socket.pause();
  const hanging = await rawConnection(port, 'GET /v1/shape?table=items&offs');
  const half = await rawConnection(port, 'POST /v1/shape?table=items HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"where"');
  for (let later = 0; later < 5; later += 1) await healthOf(service);

  const exited = once(service.child, 'exit');
  service.child.kill(signal);
  await exited;

  for (const { socket } of [slow, hanging, half]) socket.destroy();
  expect(service.child.exitCode).toBe(0);
});
