/** Clients from npm against the built service: each is told each change once, asks no more than it must, and warns of nothing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { CLIENT_KINDS, ShapeClient, beginBrowser, type ClientKind } from '../support/clients/shape-clients.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';

/** Far below what a client asks that spins, and far above what the answers to come can make one ask. */
const REQUESTS_IN_SECOND_MAX = 20;

const storageDirectory = mkdtempSync(join(tmpdir(), 'armature-clients-'));
const warn = vi.spyOn(console, 'warn');
let database: TestDatabase;
let service: ServiceProcess;
let tableCount = 0;
let table: string;
let clients: ShapeClient[];

beforeAll(async () => {
  beginBrowser();
  database = await createDatabase();
  service = await startServiceProcess({ databaseUrl: database.url, storageDirectory });
});

afterAll(async () => {
  warn.mockRestore();
  await service.stop();
  await database.drop();
  rmSync(storageDirectory, { recursive: true, force: true });
});

beforeEach(async () => {
  warn.mockClear();
  clients = [];
  tableCount += 1;
  table = `items_${tableCount}`;
  await database.query(`CREATE TABLE ${table} (id int PRIMARY KEY, title text, size int); INSERT INTO ${table} VALUES (1, 'one', 1)`);
});

afterEach(() => {
  for (const client of clients) client.leave();
});

function follow(kind: ClientKind, params: Readonly<Record<string, string>> = {}): ShapeClient {
  const client = new ShapeClient(kind, { url: service.shapeUrl, params: { table, ...params } });
  clients.push(client);
  return client;
}

const selected = (): Promise<unknown[]> => database.query(`SELECT id, title, size FROM ${table} ORDER BY id`);

/** Resolves when it waits for what comes. */
const untilLive = (client: ShapeClient): Promise<void> => expect.poll(() => client.liveCount).toBeGreaterThan(0);

/** What nobody should find with a client that is well. */
function complaints({ errors, requestsInSecond }: ShapeClient): unknown {
  return { errors, warnings: warn.mock.calls, spins: requestsInSecond > REQUESTS_IN_SECOND_MAX };
}
const NONE = { errors: [], warnings: [], spins: false };

describe.each(CLIENT_KINDS)('the client $version that $way', (kind) => {
  test('is told what is there, and then each change once', async () => {
    const client = follow(kind);
    await untilLive(client);
    const changes = [
      `INSERT INTO ${table} VALUES (2, 'two', 2)`,
      `UPDATE ${table} SET title = 'deux' WHERE id = 2`,
      `INSERT INTO ${table} VALUES (3, 'three', 3), (4, 'four', 4), (5, 'five', 5)`,
      `DELETE FROM ${table} WHERE id = 2`,
    ];
    for (const [index, sql] of changes.entries()) {
      await database.query(sql);
      await expect.poll(() => client.told.length).toBe([2, 3, 6, 7][index]);
    }
    expect({ told: client.told, rows: client.rows, streams: client.liveCount === 1, ...(complaints(client) as object) }).toEqual({
      told: ['insert 1', 'insert 2', 'update 2', 'insert 3', 'insert 4', 'insert 5', 'delete 2'],
      rows: await selected(),
      streams: kind.way === 'streams',
      ...NONE,
    });
  });

  test('is told whole rows and what they were before, when it asks for them', async () => {
    const client = follow(kind, { replica: 'full' });
    await untilLive(client);
    await database.query(`UPDATE ${table} SET title = 'uno' WHERE id = 1; DELETE FROM ${table} WHERE id = 1`);
    await expect.poll(() => client.told.length).toBe(3);
    const changed = client.messages.filter(({ headers }) => headers['operation'] === 'update' || headers['operation'] === 'delete');
    expect([changed.map(({ value, old_value }) => ({ value, old_value })), complaints(client)]).toEqual([
      [
        { value: { id: 1, title: 'uno', size: 1 }, old_value: { title: 'one' } },
        { value: { id: 1, title: 'uno', size: 1 }, old_value: undefined },
      ],
      NONE,
    ]);
  });

  test('starts over when its shape ends while it waits, and goes on from there', async () => {
    const client = follow(kind);
    await untilLive(client);
    await database.query(`TRUNCATE ${table}`);
    await expect.poll(() => client.told).toContain('must-refetch');
    await database.query(`INSERT INTO ${table} VALUES (7, 'seven', 7)`);
    await expect.poll(() => client.rows).toEqual(await selected());
    await database.query(`INSERT INTO ${table} VALUES (8, 'eight', 8)`);
    await expect.poll(() => client.told.at(-1)).toBe('insert 8');
    expect([client.told, complaints(client)]).toEqual([['insert 1', 'must-refetch', 'insert 7', 'insert 8'], NONE]);
  });
});

const LEAVING = CLIENT_KINDS.filter(({ hasOldEvents }) => hasOldEvents !== true);

test.each(LEAVING)('the client $version that $way and has left asks and is told nothing more', async (kind) => {
  const [client, witness] = [follow(kind), follow(kind)];
  await Promise.all([untilLive(client), untilLive(witness)]);
  client.leave();
  const { requestCount } = client;
  await database.query(`INSERT INTO ${table} VALUES (2, 'two', 2)`);
  await expect.poll(() => witness.told).toContain('insert 2');
  expect([client.told, client.requestCount, complaints(client)]).toEqual([['insert 1'], requestCount, NONE]);
});
