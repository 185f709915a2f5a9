/**
 * What others do to the publication, on each version of Postgres at hand: some break the stream for it, others leave changes out without a
 * word, and the catalogue tells of it in other ways. The shapes that it concerns start over, and nothing stays missing.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDatabaseOn, streamIdOf, type TestDatabase } from '../../support/postgres/postgres.ts';
import { majorOf, startVersion, VERSIONS, type VersionServer } from '../../support/postgres/versions.ts';
import { startServiceInProcess, type ServiceInProcess } from '../../support/service/service.ts';
import { ShapeFollower } from '../../support/service/shape-follower.ts';

/** Publications of schemas, of some rows and of some columns. */
const PARTS_SINCE = 15;
const TABLES = ['items', 'others', 'parts'];

interface Case {
  readonly what: string;
  readonly sqls: (publication: string) => readonly string[];
  /** By the tables. */
  readonly refetches: readonly number[];
  /** The version of Postgres. */
  readonly since?: number;
}

const ALL = [1, 1, 1];
const CASES: readonly Case[] = [
  { what: 'has another comment', sqls: (p) => [`COMMENT ON PUBLICATION ${p} IS 'armature, and more'`], refetches: [0, 0, 0] },
  { what: 'lost a table', sqls: (p) => [`ALTER PUBLICATION ${p} DROP TABLE items`], refetches: [1, 0, 0] },
  {
    what: 'has a table with some rows alone', since: PARTS_SINCE, refetches: [1, 0, 0],
    sqls: (p) => [`ALTER PUBLICATION ${p} SET TABLE items WHERE (id < 0), others, parts`],
  },
  {
    what: 'has a table with some columns alone', since: PARTS_SINCE, refetches: [1, 0, 0],
    sqls: (p) => [`ALTER PUBLICATION ${p} SET TABLE items (id), others, parts`],
  },
  { what: 'publishes inserts alone', sqls: (p) => [`ALTER PUBLICATION ${p} SET (publish = 'insert')`], refetches: ALL },
  { what: 'was dropped', sqls: (p) => [`DROP PUBLICATION ${p}`], refetches: ALL },
  {
    what: 'was made anew for all tables', refetches: ALL,
    sqls: (p) => [`DROP PUBLICATION ${p}`, `CREATE PUBLICATION ${p} FOR ALL TABLES`],
  },
  {
    what: 'was made anew for a schema', since: PARTS_SINCE, refetches: ALL,
    sqls: (p) => [`DROP PUBLICATION ${p}`, `CREATE PUBLICATION ${p} FOR TABLES IN SCHEMA public`],
  },
];

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

  const possible = CASES.filter(({ since = 0 }) => majorOf(version) >= since);
  test.each(possible)('a publication that $what', async ({ what, sqls, refetches }) => {
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
