/** Shapes of partitioned tables over a stop of any kind: the same handles, and what happened to the partitions meanwhile is noticed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { startServiceProcess, type ServiceProcess } from '../../support/service/service-process.ts';
import { ShapeFollower } from '../../support/service/shape-follower.ts';
import { OBSERVED, untilStored } from '../../support/service/stored-shapes.ts';

let database: TestDatabase;
let storageDirectory: string;
let service: ServiceProcess;

beforeEach(async () => {
  database = await createDatabase();
  storageDirectory = mkdtempSync(join(tmpdir(), 'armature-partitions-'));
  await database.query(`
    CREATE TABLE tree (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE tree_low PARTITION OF tree FOR VALUES FROM (0) TO (10);
    CREATE TABLE tree_high PARTITION OF tree FOR VALUES FROM (10) TO (20);
    INSERT INTO tree VALUES (1)`);
  service = await startServiceProcess({ databaseUrl: database.url, storageDirectory, environment: OBSERVED });
});
afterEach(async () => {
  await service.kill();
  await database.drop();
  rmSync(storageDirectory, { recursive: true, force: true });
});

async function comeBack(): Promise<void> {
  service = await startServiceProcess({ databaseUrl: database.url, storageDirectory, port: Number(new URL(service.url).port) });
}

async function follow(table: string): Promise<ShapeFollower> {
  return await new ShapeFollower(service.shapeUrl, { table }).catchUp();
}

const ids = async (follower: ShapeFollower): Promise<number[]> => {
  return [...(await follower.catchUp()).rows.values()].map(({ id }) => Number(id)).sort((left, right) => left - right);
};

test.each([
  ['kill -9', () => service.kill()],
  ['a stop in good order', () => service.stop()],
])('after %s the shapes of root and partition go on where they stood', async (_, end) => {
  const [root, leaf] = [await follow('tree'), await follow('tree_low')];
  await database.query('INSERT INTO tree VALUES (2), (12)');
  await expect.poll(() => ids(root)).toEqual([1, 2, 12]);
  await untilStored(service);
  await end();
  await database.query('INSERT INTO tree VALUES (3); UPDATE tree SET id = 13 WHERE id = 1');
  await comeBack();
  await expect.poll(() => ids(root)).toEqual([2, 3, 12, 13]);
  await expect.poll(() => ids(leaf)).toEqual([2, 3]);
  await database.query('INSERT INTO tree VALUES (4)');
  await expect.poll(() => ids(root)).toEqual([2, 3, 4, 12, 13]);

  const verified = [await root.verifyServed(), await leaf.verifyServed()].map((count) => count > 0);
  expect({ refetches: [root.refetches, leaf.refetches], verified }).toEqual({ refetches: [0, 0], verified: [true, true] });
});

test('what was attached and what was dropped after kill -9 is noticed, and what was made is taken in', async () => {
  const [root, leaf] = [await follow('tree'), await follow('tree_low')];
  await untilStored(service);
  await service.kill();
  await database.query('CREATE TABLE tree_top PARTITION OF tree FOR VALUES FROM (20) TO (30); INSERT INTO tree VALUES (21)');
  await comeBack();
  await expect.poll(() => ids(root)).toEqual([1, 21]);
  const { refetches } = root;
  await service.kill();
  await database.query('DROP TABLE tree_top');
  await comeBack();
  await expect.poll(() => ids(root)).toEqual([1]);

  expect([refetches, root.refetches, leaf.refetches]).toEqual([0, 1, 0]);
});
