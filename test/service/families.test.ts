/**
 * A parent and its child come in one transaction, a thousand times, while a second writer toggles parents and changes children:
 * no row is missing, and none is old.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

const FAMILIES = 1000;
const WHERE = 'parent_id IN (SELECT id FROM parents WHERE active)';
let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE parents (id int PRIMARY KEY, active bool NOT NULL);
    CREATE TABLE children (id int PRIMARY KEY, parent_id int NOT NULL, rank int NOT NULL DEFAULT 0)`);
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'long-poll-timeout': '500' } });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

/** Now the parent comes first, now the child. */
async function insertFamilies(): Promise<void> {
  for (let id = 1; id <= FAMILIES; id += 1) {
    const family = [`INSERT INTO parents VALUES (${id}, true)`, `INSERT INTO children (id, parent_id) VALUES (${id}, ${id})`];
    await database.query(['BEGIN', ...(id % 2 === 0 ? family : family.reverse()), 'COMMIT'].join(';'));
  }
}

/** Old parents and young ones, and in a transaction behind it children of others. @returns how often. */
async function meddle(signal: AbortSignal): Promise<number> {
  const session = await database.session();
  const random = seededRandom(3);
  let rounds = 0;
  for (; !signal.aborted; rounds += 1) {
    const youngest = [1 + random.below(200), random.below(7)];
    await session.query('UPDATE parents SET active = NOT active WHERE id > (SELECT max(id) FROM parents) - $1 AND id % 7 = $2', youngest);
    await session.query('UPDATE children SET rank = rank + 1 WHERE id > (SELECT max(id) FROM children) - $1 AND id % 7 <> $2', youngest);
  }
  return rounds;
}

async function selected(): Promise<string[]> {
  const rows = await database.query<{ id: number; rank: number }>(`SELECT id, rank FROM children WHERE ${WHERE}`);
  return rows.map(({ id, rank }) => `${id} ${rank}`).sort();
}

async function held(follower: ShapeFollower): Promise<string[]> {
  return [...(await follower.catchUp()).rows.values()].map(({ id, rank }) => `${id} ${rank}`).sort();
}

test(`${FAMILIES} parents with their children, each in one transaction, while others are toggled`, async () => {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'children', where: WHERE, move_outs: 'deletes' }).catchUp();
  const resting = new AbortController();
  const meddling = meddle(resting.signal);
  const following = (async () => {
    while (!resting.signal.aborted) await follower.poll();
  })();

  await insertFamilies();
  resting.abort();
  const [rounds] = await Promise.all([meddling, following]);

  await expect.poll(() => held(follower)).toEqual(await selected());
  await database.query('UPDATE parents SET active = true');
  await expect.poll(async () => (await held(follower)).length).toBe(FAMILIES);
  expect({ refetches: follower.refetches, isMeddled: rounds > FAMILIES / 20 }).toEqual({ refetches: 0, isMeddled: true });
});
