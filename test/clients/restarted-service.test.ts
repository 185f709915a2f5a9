/** Clients from npm whose service goes and comes back while they wait: nothing is lost, nothing comes twice, and nobody spins. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { CLIENT_KINDS, ShapeClient, beginBrowser } from '../support/clients/shape-clients.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { freePort, startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';

const REQUESTS_IN_SECOND_MAX = 20;

let database: TestDatabase;
let service: ServiceProcess;
let storageDirectory: string;
let clients: ShapeClient[];

beforeAll(async () => {
  beginBrowser();
  database = await createDatabase();
  await database.query('CREATE TABLE items (id int PRIMARY KEY)');
});

afterAll(() => database.drop());

beforeEach(async () => {
  storageDirectory = mkdtempSync(join(tmpdir(), 'armature-restart-'));
  await database.query('TRUNCATE items; INSERT INTO items VALUES (1)');
  await start(await freePort());
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.leave();
  await service.stop();
  rmSync(storageDirectory, { recursive: true, force: true });
});

async function start(port: number): Promise<void> {
  service = await startServiceProcess({ databaseUrl: database.url, storageDirectory, port });
}

/** Resolves when all of them were told. */
const untilAllWere = (told: string): Promise<void> =>
  expect.poll(() => clients.filter((client) => !client.told.includes(told)).map(({ name }) => name)).toEqual([]);

test.each([
  { end: 'stop', kinds: CLIENT_KINDS },
  { end: 'kill', kinds: CLIENT_KINDS.filter(({ hasOldEvents }) => hasOldEvents !== true) },
] as const)('after a $end and a start clients go on where they were', async ({ end, kinds }) => {
  for (const kind of kinds) clients.push(new ShapeClient(kind, { url: service.shapeUrl, params: { table: 'items' } }));
  await untilAllWere('insert 1');
  await expect.poll(() => clients.every(({ liveCount }) => liveCount > 0)).toBe(true);
  await database.query('INSERT INTO items VALUES (2), (3)');
  await untilAllWere('insert 3');
  await service[end]();
  await database.query('INSERT INTO items VALUES (4), (5)');
  await start(Number(new URL(service.url).port));
  await untilAllWere('insert 5');
  await database.query('INSERT INTO items VALUES (6)');
  await untilAllWere('insert 6');

  const told = Array.from({ length: 6 }, (_, index) => `insert ${index + 1}`);
  expect(clients.map((client) => ({ told: client.told, spins: client.requestsInSecond > REQUESTS_IN_SECOND_MAX }))).toEqual(
    clients.map(() => ({ told, spins: false })),
  );
});
