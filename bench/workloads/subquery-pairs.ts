/**
 * Many shapes, each with an inner shape of its own: what a pair needs of memory, and whether commits cost more among many pairs than with
 * one. The service is held still while a backlog is written, so that the writer is not part of what is measured.
 *
 * What is measured is a pair that nothing moves: its processes hibernate. A backlog is measured behind one that is not counted: before the
 * first V8 has compiled nothing, and it lets go of what it has compiled when garbage is collected as often as memory needs it.
 *
 * A backlog for one shape reaches it in batches, and its moves as few splices; where each commit concerns another shape, none are joined,
 * and each splice reads by itself what of the backlog lies behind its place and touched its table.
 */
import { readAll } from '../clients/read-all.ts';
import type { Database } from '../database.ts';
import type { Service } from '../service.ts';
import { memoryReadings, RESIDENT, settledMemory } from '../settled-memory.ts';
import { ShapeReader } from '../shape-reader.ts';
import { max, timesLimitMin, type Reading, type Round, type Workload } from '../suite/workload.ts';
import type { World } from '../suite/world.ts';
import { spentUntilRest, type Spent } from '../timing.ts';

/** Long enough for a pair to be whole; how long it is makes no difference to what is left. */
const AT_REST = { ARMATURE_SHAPE_HIBERNATE_AFTER: '1s' };
/** Of each backlog, beside a pair. */
const COMMITS_PER_PAIR = 0.5;
/** Every user is in a project that stays, and in one that changes. */
const TABLES = `
  CREATE TABLE members (user_id int, nth int, project_id int NOT NULL, PRIMARY KEY (user_id, nth));
  CREATE TABLE works (id int PRIMARY KEY, project_id int NOT NULL, title text);
  CREATE INDEX ON members (user_id);
  CREATE INDEX ON works (project_id);
  CREATE PROCEDURE commit_each(statement text, total int, spread int) LANGUAGE plpgsql AS $$
  BEGIN
    FOR i IN 1..total LOOP EXECUTE statement USING 1 + i % spread, i; COMMIT; END LOOP;
  END $$`;
const STATEMENTS = {
  outer: "UPDATE works SET title = 'commit ' || $2 WHERE id = $1",
  /** Back and forth between two projects: each time a value of the inner shape goes and another one comes. */
  inner: 'UPDATE members SET project_id = 1000000 + $1 * 2 + 1 - project_id % 2 WHERE user_id = $1 AND nth = 2',
} as const;

export const subqueryPairs: Workload = {
  name: 'subquery-pairs',
  sentence: 'shapes IN (SELECT … WHERE user_id = N), each with an inner shape of its own: memory, and commits among them',
  size: 10_000,
  sizeMin: 2,
  unit: 'pairs, and a commit for every second one',
  limit: 'the same backlog before there was more than one pair',
  targets: { [RESIDENT]: max(12), 'commits to the outer table': timesLimitMin(0.8), 'commits to the inner table': timesLimitMin(0.8) },
  async *measure(world, pairs) {
    await fill(world.database, pairs);
    for (;;) yield await world.withService((service) => roundOf(world, service, pairs), AT_REST);
  },
};

async function fill(database: Database, users: number): Promise<void> {
  await database.query(TABLES);
  await database.query(`
    INSERT INTO members SELECT i, 1, i FROM generate_series(1, ${users}) i;
    INSERT INTO members SELECT i, 2, 1000000 + 2 * i FROM generate_series(1, ${users}) i;
    INSERT INTO works SELECT i, i, 'first' FROM generate_series(1, ${users}) i;
    INSERT INTO works SELECT 1000000 + i, 1000000 + i, 'second' FROM generate_series(2, ${2 * users + 1}) i`);
  await database.query('VACUUM (ANALYZE) members, works');
}

async function roundOf({ database }: World, service: Service, pairs: number): Promise<Round> {
  const commits = Math.ceil(pairs * COMMITS_PER_PAIR);
  const readers = Array.from({ length: pairs }, (_, index) => new ShapeReader(service.url, { table: 'works', where: whereOf(index + 1) }));
  const rates = async (spread = 1): Promise<readonly [Spent, Spent]> => [
    await backlog(database, service, { statement: STATEMENTS.outer, commits, spread }),
    await backlog(database, service, { statement: STATEMENTS.inner, commits, spread }),
  ];
  await readAll(readers.slice(0, 1)); // What the first of all shapes brings with it is not counted.
  await rates();
  const alone = await rates();
  const inspector = await service.inspect();
  const before = await settledMemory(service, inspector, pairs);
  await readAll(readers.slice(1));
  const memory = memoryReadings(before, await settledMemory(service, inspector, pairs), pairs - 1);
  inspector.close();
  await rates();
  const among = await rates();
  const spread = await rates(pairs);
  await readAll(readers); // A shape that the moves have ended would say so.
  return [
    ...memory,
    ...(['outer', 'inner'] as const).flatMap((table, index) => [
      ...rateReadings(`commits to the ${table} table`, among[index], alone[index], commits),
      ...rateReadings(`each for another: to the ${table} one`, spread[index], alone[index], commits),
    ]),
  ];
}

function whereOf(user: number): string {
  return `project_id IN (SELECT project_id FROM members WHERE user_id = ${user})`;
}

interface Backlog {
  readonly statement: string;
  readonly commits: number;
  /** The rows of how many users are written. */
  readonly spread: number;
}

async function backlog(database: Database, service: Service, { statement, commits, spread }: Backlog): Promise<Spent> {
  service.hold();
  await database.query('SET synchronous_commit = off');
  await database.query(`CALL commit_each($statement$${statement}$statement$, ${commits}, ${spread})`);
  await database.query('SET synchronous_commit = on');
  return await spentUntilRest(service, () => Promise.resolve(service.resume()));
}

function rateReadings(what: string, spent: Spent | undefined, alone: Spent | undefined, commits: number): readonly Reading[] {
  if (spent === undefined || alone === undefined) return [];
  const perSecond = ({ elapsedMs }: Spent): number => (commits / elapsedMs) * 1000;
  const each = ({ cpuMicros }: Spent): number => cpuMicros / commits;
  return [
    { what, unit: '/s', measured: perSecond(spent), limit: perSecond(alone) },
    { what: `${what}: CPU`, unit: 'µs', measured: each(spent), limit: each(alone) },
  ];
}
