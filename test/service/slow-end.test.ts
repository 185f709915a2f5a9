/** An end that takes long says what it waits for. */
import { expect, test } from 'vitest';
import { createDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';
import { withholdingDisk } from '../support/storage/withholding-disk.ts';

test('a service that ends says for as long as that lasts what is left, and nothing before and behind', async () => {
  const disk = withholdingDisk();
  const database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY)');
  const service = await startServiceInProcess({ databaseUrl: database.url, world: { disk } });
  await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const told = [service.ending()];

  const withheld = disk.withhold();
  await database.query('INSERT INTO items VALUES (1)');
  await withheld;
  const stopped = service.stop();
  told.push(service.ending());
  await expect.poll(() => service.ending()).not.toBe('the tree of processes');
  told.push(service.ending());
  disk.release();
  await stopped;
  told.push(service.ending());

  await service.remove();
  await database.drop();
  expect(told).toEqual([undefined, 'the tree of processes', 'the storage', undefined]);
});
