/** What Postgres tells of partitions, and what its catalogue says of how they came to be, on each version at hand. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDatabaseOn, type TestDatabase } from '../../support/postgres/postgres.ts';
import { startVersion, VERSIONS, type VersionServer } from '../../support/postgres/versions.ts';
import { startServiceInProcess, type ServiceInProcess } from '../../support/service/service.ts';
import { ShapeFollower } from '../../support/service/shape-follower.ts';

describe.each(VERSIONS)('on Postgres %s', (version) => {
  let server: VersionServer;
  let database: TestDatabase;
  let service: ServiceInProcess;

  beforeAll(async () => {
    server = await startVersion(version);
    database = await createDatabaseOn(server.url);
    service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'publication-refresh-period': '100ms' } });
  });
  afterAll(async () => {
    await service.remove();
    await database.drop();
    await server.stop();
  });

  const ids = async (follower: ShapeFollower): Promise<number[]> => {
    return [...(await follower.catchUp()).rows.values()].map(({ id }) => Number(id)).sort((left, right) => left - right);
  };

  test('shapes follow what is made, and end for what is attached or detached, also with partitions of its own', async () => {
    await database.query(`
      CREATE TABLE tree (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE tree_low PARTITION OF tree FOR VALUES FROM (0) TO (10);
      CREATE TABLE branch (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE branch_leaf PARTITION OF branch FOR VALUES FROM (20) TO (30); INSERT INTO branch VALUES (21)`);
    const [root, branch, leaf] = await Promise.all(['tree', 'branch', 'branch_leaf'].map((table) => {
      return new ShapeFollower(service.shapeUrl, { table }).catchUp();
    })) as [ShapeFollower, ShapeFollower, ShapeFollower];
    await database.query(`
      INSERT INTO branch VALUES (22);
      CREATE TABLE tree_middle PARTITION OF tree FOR VALUES FROM (10) TO (20); INSERT INTO tree VALUES (1), (11)`);
    await expect.poll(() => ids(root)).toEqual([1, 11]);
    await database.until(`SELECT FROM pg_class WHERE relname = 'tree_middle' AND relreplident = 'f'`);
    await database.query('UPDATE tree SET id = 12 WHERE id = 1; DELETE FROM tree WHERE id = 11');
    await expect.poll(() => ids(root)).toEqual([12]);
    const afterMade = root.refetches;
    await database.query('ALTER TABLE tree ATTACH PARTITION branch FOR VALUES FROM (20) TO (30)');
    await expect.poll(() => ids(root)).toEqual([12, 21, 22]);
    await database.query('INSERT INTO branch VALUES (23); UPDATE tree SET id = 24 WHERE id = 12');
    await expect.poll(() => ids(root)).toEqual([21, 22, 23, 24]);
    await database.query('ALTER TABLE tree DETACH PARTITION branch; INSERT INTO branch VALUES (25)');
    await expect.poll(() => ids(root)).toEqual([]);
    await expect.poll(() => ids(branch)).toEqual([21, 22, 23, 24, 25]);
    await database.query('TRUNCATE branch; INSERT INTO branch VALUES (26)');
    await expect.poll(async () => [await ids(branch), await ids(leaf)]).toEqual([[26], [26]]);

    const refetches = [root, branch, leaf].map((follower) => follower.refetches);
    expect({ afterMade, refetches }).toEqual({ afterMade: 0, refetches: [2, 1, 1] });
  });
});
