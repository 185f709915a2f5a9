/**
 * A transaction over the limit. In the scenario all shapes and the stream go; here the shapes of its table alone end, as
 * docs/protocol.md has it for what cannot be told, and nothing is made anew: neither the slot nor any other shape.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { healthOf, startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

const LARGE = `INSERT INTO large VALUES (2, repeat('x', 61000))`;
const directory = temporaryDirectory();
let database: TestDatabase;
let service: ServiceProcess;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE large (id integer PRIMARY KEY, body text); CREATE TABLE small (id integer PRIMARY KEY);
    INSERT INTO large VALUES (1, 'small'); INSERT INTO small VALUES (1)`);
  // By the name that ElectricSQL has for the limit.
  const environment = { ELECTRIC_EXPERIMENTAL_MAX_TXN_SIZE: '5000', ARMATURE_LONG_POLL_TIMEOUT: '500' };
  service = await startServiceProcess({ databaseUrl: database.url, storageDirectory: directory, environment });
});
afterAll(async () => {
  await service.stop();
  await database.drop();
  removeDirectory(directory);
});

const sender = () => database.query('SELECT active_pid, xmin FROM pg_replication_slots WHERE database = current_database()');

test('exceedingly-large-transaction: its row is there for who fetches anew, which the shapes of its table must, and no other', async () => {
  const [large, small] = await Promise.all(
    ['large', 'small'].map((table) => new ShapeFollower(service.shapeUrl, { table }).catchUp()),
  );
  const before = await sender();

  await database.query(LARGE);
  await database.query('INSERT INTO small VALUES (2)');

  await expect.poll(async () => (await large?.catchUp())?.sorted().map(({ id }) => id)).toEqual(['1', '2']);
  await expect.poll(async () => (await small?.catchUp())?.sorted().map(({ id }) => id)).toEqual(['1', '2']);
  expect({
    refetches: [large?.refetches, small?.refetches], health: await healthOf(service), sender: await sender(), output: service.output(),
  }).toEqual({
    refetches: [1, 0], health: 'active', sender: before, output: expect.stringContaining('is larger than --max-txn-size'),
  });
});
