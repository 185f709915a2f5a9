/** Each row comes once, for however many reasons and whatever moves meanwhile; and what ends a shape ends those that depend on it alone. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../../support/service/service.ts';
import { ShapeFollower } from '../../support/service/shape-follower.ts';
import { Family } from './told-shape.ts';

let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  database = await createDatabase();
  service = await startServiceInProcess({ databaseUrl: database.url });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

const PARENTS = '(1, 10, 1, 0), (2, 20, 3, 0)';
const OUTER = 'value IN (SELECT value FROM parents WHERE root IN (SELECT id FROM roots WHERE open))';

function family(): Promise<Family> {
  return new Family(database, service.shapeUrl).begin(`INSERT INTO parents VALUES ${PARENTS}`);
}

test.each([{ move_outs: 'deletes' }, {}])('a row that a plain condition has brought is not brought again by a move (%j)', async (more) => {
  const rows = await family();
  const shape = rows.children(`id = 20 OR ${OUTER}`, more);
  const told = [await shape.words(0n)];
  for (const open of [true, false]) told.push(await shape.words(await rows.write(`UPDATE roots SET open = ${open} WHERE id = 3`)));

  expect(told).toEqual(['+10 +20', '', '']);
});

test('what moves and what is written while a shape waits for its first rows is told once, with these or behind them', async () => {
  const rows = await family();
  const other = rows.children(`${OUTER} AND id > 0`, { move_outs: 'deletes' });
  await other.words(0n);
  service.runtime.suspend('@snapshots');
  const shape = rows.children(OUTER, { move_outs: 'deletes' });
  const first = shape.words(0n);
  await expect.poll(() => service.runtime.printTree()).toContain('snapshotter/');
  await rows.write('UPDATE roots SET open = true WHERE id = 3; INSERT INTO children VALUES (60, 20)');
  await rows.write('DELETE FROM children WHERE id = 20; UPDATE roots SET open = false WHERE id = 1');
  await rows.write('INSERT INTO children VALUES (70, 20), (80, 10); UPDATE children SET value = 20 WHERE id = 50');
  await other.words(await rows.write('UPDATE parents SET value = 30 WHERE id = 1; UPDATE roots SET open = true WHERE id = 1'));
  service.runtime.resume('@snapshots');

  const told = `${await first} ${await shape.words(await rows.write('SELECT 1'))}`.trim().split(' ');
  expect(told.sort()).toEqual(['+10', '+30', '+50', '+60', '+70', '+80', '-10', '-80']);
});

test('a layout that the stream tells again, and is what it was, ends nobody', async () => {
  const rows = await family();
  const shape = rows.children(OUTER, { move_outs: 'deletes' });
  const told = [await shape.words(0n)];
  await rows.write('ALTER TABLE children ALTER value SET STATISTICS 7; ALTER TABLE parents ALTER value SET STATISTICS 7');
  told.push(await shape.words(await rows.write('INSERT INTO children VALUES (60, 20); UPDATE parents SET value = 50 WHERE id = 1')));

  expect(told).toEqual(['+10', '-10 +50']);
});

test.each([
  { what: 'what nobody tells', type: 'nobody.told', to: 0, refetches: [1, 1, 0] },
  { what: 'of a query that it has not asked', type: 'moves.queried', to: 1, refetches: [0, 1, 0] },
])('a Consumer that is told $what ends its shape and those that depend on it, and no other', async ({ type, to, refetches }) => {
  const rows = await family();
  const followers = [
    { table: 'parents', columns: 'id,value', where: 'root < 3' },
    { table: 'children', where: 'value IN (SELECT value FROM parents WHERE root < 3)' },
    { table: 'children' },
  ].map((params) => new ShapeFollower(service.shapeUrl, rows.named(params)));
  for (const each of followers) await each.catchUp();

  service.runtime.send(`@consumer/${followers[to]?.handle}`, { type });
  await expect.poll(async () => (await followers[1]?.catchUp())?.refetches).toBe(1);
  for (const each of followers) await each.catchUp();

  const found = followers.map((each) => ({ refetches: each.refetches, rows: each.rows.size }));
  expect(found).toEqual([1, 1, 5].map((count, index) => ({ refetches: refetches[index], rows: count })));
});
