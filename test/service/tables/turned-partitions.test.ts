/**
 * What is told of a root's rows when its partitions came or went, before a look at the catalogue has noticed: the service looks once in an
 * hour, so nothing but the changes themselves can tell. The clients are strict.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { startServiceProcess, type ServiceProcess } from '../../support/service/service-process.ts';
import { ShapeFollower } from '../../support/service/shape-follower.ts';
import { removeDirectory, temporaryDirectory } from '../../support/storage/temporary-directory.ts';

const WHY = 'a partition of the table was attached, detached or dropped, and its rows with it';
let database: TestDatabase;
let service: ServiceProcess;
let directory: string;

beforeAll(async () => {
  database = await createDatabase();
  directory = temporaryDirectory();
  const environment = { ARMATURE_PUBLICATION_REFRESH_PERIOD: '60min', ARMATURE_LOG_LEVEL: 'info' };
  service = await startServiceProcess({ databaseUrl: database.url, storageDirectory: directory, environment });
});
afterAll(async () => {
  await service.stop();
  await database.drop();
  removeDirectory(directory);
});

interface Told {
  readonly msg: string;
  readonly why?: string;
}

function told(): readonly Told[] {
  return service.output().split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Told);
}

test('rows that come again from a detached partition end the shape that a subquery selects from, and its outer shapes, once', async () => {
  await database.query(`
    CREATE TABLE owners (kind text, id int, owner text, PRIMARY KEY (kind, id)) PARTITION BY LIST (kind);
    CREATE TABLE owners_a PARTITION OF owners FOR VALUES IN ('a'); CREATE TABLE owners_rest PARTITION OF owners DEFAULT;
    INSERT INTO owners VALUES ('a', 1, 'x'), ('b', 2, 'y');
    CREATE TABLE items (id int PRIMARY KEY, owner text); INSERT INTO items VALUES (1, 'x'), (2, 'y'), (3, 'z')`);
  const params = { table: 'items', where: 'owner IN (SELECT owner FROM owners)', move_outs: 'deletes' };
  const items = await new ShapeFollower(service.shapeUrl, params).catchUp();
  const ids = async (): Promise<unknown> => (await items.catchUp()).sorted().map(({ id }) => id);
  await database.query(`INSERT INTO owners VALUES ('c', 3, 'z')`);
  await expect.poll(ids).toEqual(['1', '2', '3']);
  await database.query(`
    ALTER TABLE owners DETACH PARTITION owners_a; INSERT INTO owners SELECT * FROM owners_a; DELETE FROM owners WHERE id = 2`);
  await expect.poll(ids).toEqual(['1', '3']);

  const ends = told().filter(({ msg }) => msg === 'shape.deleted' || msg === 'process.crashed');
  expect({ refetches: items.refetches, ends }).toMatchObject({
    refetches: 1, ends: [{ msg: 'shape.deleted', why: WHY, dependantCount: 1 }],
  });
});
