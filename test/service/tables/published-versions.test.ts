/**
 * What others do to the publication, on each version of Postgres at hand: some break the stream for it, others leave changes out without a
 * word, and the catalogue tells of it in other ways. The shapes that it concerns start over, and nothing stays missing.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDatabaseOn, streamIdOf, type TestDatabase } from '../../support/postgres/postgres.ts';
import { startVersion, VERSIONS, type VersionServer } from '../../support/postgres/versions.ts';
import { startServiceInProcess, type ServiceInProcess } from '../../support/service/service.ts';
import { ShapeFollower } from '../../support/service/shape-follower.ts';

/** Publications of schemas, of some rows and of some columns. */
const PARTS_SINCE = 15;
const TABLES = ['items', 'others', 'parts'];

describe.each(VERSIONS)('on Postgres %s', (version) => {
  let server: VersionServer;
  let database: TestDatabase;
  let service: ServiceInProcess;
  let publication: string;

  beforeAll(async () => {
    server = await startVersion(version);
    database = await createDatabaseOn(server.url);
    publication = `electric_publication_${streamIdOf(database.url)}`;
    await database.query(`
      CREATE TABLE items (id int PRIMARY KEY, title text); CREATE TABLE others (id int PRIMARY KEY, title text);
      CREATE TABLE parts (id int PRIMARY KEY, title text) PARTITION BY RANGE (id); CREATE TABLE parts_a PARTITION OF parts DEFAULT`);
    service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'publication-refresh-period': '100ms' } });
  });
  afterAll(async () => {
    await service.remove();
    await database.drop();
    await server.stop();
  });

  const follow = (table: string): Promise<ShapeFollower> => new ShapeFollower(service.shapeUrl, { table }).catchUp();
  const rowsOf = (table: string) => database.query(`SELECT id::text, title FROM ${table} ORDER BY ${table}.id`);

  const NOBODY: readonly number[] = [0, 0, 0];
  const ALL: readonly number[] = [1, 1, 1];
  test.each<readonly [what: string, sqls: (name: string) => readonly string[], refetches: readonly number[], since?: number]>([
    ['has another comment', (p) => [`COMMENT ON PUBLICATION ${p} IS 'armature, and more'`], NOBODY],
    ['lost a table', (p) => [`ALTER PUBLICATION ${p} DROP TABLE items`], [1, 0, 0]],
    [
      'has a table with some rows alone', (p) => [`ALTER PUBLICATION ${p} SET TABLE items WHERE (id < 0), others, parts`],
      [1, 0, 0], PARTS_SINCE,
    ],
    ['has a table with some columns alone', (p) => [`ALTER PUBLICATION ${p} SET TABLE items (id), others, parts`], [1, 0, 0], PARTS_SINCE],
    ['publishes inserts alone', (p) => [`ALTER PUBLICATION ${p} SET (publish = 'insert')`], ALL],
    ['was dropped', (p) => [`DROP PUBLICATION ${p}`], ALL],
    ['was made anew for all tables', (p) => [`DROP PUBLICATION ${p}`, `CREATE PUBLICATION ${p} FOR ALL TABLES`], ALL],
    [
      'was made anew for a schema', (p) => [`DROP PUBLICATION ${p}`, `CREATE PUBLICATION ${p} FOR TABLES IN SCHEMA public`],
      ALL, PARTS_SINCE,
    ],
  ])('a publication that %s', async (what, sqls, refetches, since = 0) => {
    if (version !== 'embedded' && Number(version) < since) return;
    const followers = await Promise.all(TABLES.map(follow));
    const before = followers.map((follower) => follower.refetches);
    for (const sql of sqls(publication)) await database.query(sql);
    const id = 1000 + what.length;
    await database.query(TABLES.map((table) => `INSERT INTO ${table} VALUES (${id}, 'new')`).join('; '));

    const again = async (): Promise<readonly number[]> => {
      return await Promise.all(followers.map(async (follower, index) => (await follower.catchUp()).refetches - (before[index] ?? 0)));
    };
    await expect.poll(again, { timeout: 20_000 }).toEqual(refetches);
    await database.query(TABLES.map((table) => `UPDATE ${table} SET title = 'of all'`).join('; '));
    const held = () => Promise.all(followers.map(async (follower) => (await follower.catchUp()).sorted()));
    await expect.poll(held, { timeout: 20_000 }).toEqual(await Promise.all(TABLES.map(rowsOf)));

    expect(await again()).toEqual(refetches);
  });
});
