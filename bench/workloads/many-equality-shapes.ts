/** Whether a commit that touches one shape costs more because there are very many others. */
import { createShapes } from '../clients/create-shapes.ts';
import type { Database } from '../database.ts';
import type { Service } from '../service.ts';
import { ShapeReader } from '../shape-reader.ts';
import { timesLimitMin, type Workload } from '../suite/workload.ts';
import { comeToRest, spentDuring, type Spent } from '../timing.ts';

/** That of the setting, so that it makes no difference: but it is another service also where they are shared. */
const OF_ITS_OWN = { ARMATURE_DB_POOL_SIZE: '20' };
const COMMITS = 20_000;
/** At the size of 10,000 shapes. */
const COMMITS_PER_SHAPE = COMMITS / 10_000;

export const manyEqualityShapes: Workload = {
  name: 'many-equality-shapes',
  sentence: 'a backlog of commits that each touch one of very many shapes b = N, until its client has them all',
  size: 10_000,
  unit: 'shapes, and two commits for each, of 20,000 at the most',
  limit: 'the same beside a service with that shape alone',
  targets: { 'commits per second': timesLimitMin(0.8) },
  async *measure(world, shapes) {
    const { database } = world;
    const commits = Math.min(COMMITS, Math.ceil(shapes * COMMITS_PER_SHAPE));
    const [lone, among] = [await world.service(OF_ITS_OWN), await world.service()];
    for (const table of ['lone_rows', 'among_rows']) {
      await database.query(`CREATE TABLE ${table} (id int PRIMARY KEY, b int NOT NULL, n int NOT NULL)`);
      await database.query(`INSERT INTO ${table} SELECT i, i, 0 FROM generate_series(0, ${shapes - 1}) i`);
      await database.query(`CREATE INDEX ON ${table} (b)`);
    }
    await database.query(`
      CREATE PROCEDURE raise_each(target regclass, first int, total int) LANGUAGE plpgsql AS $$
      BEGIN
        FOR i IN first..first + total - 1 LOOP EXECUTE format('UPDATE %s SET n = $1 WHERE id = 0', target) USING i; COMMIT; END LOOP;
      END $$`);
    await createShapes(among.url, Array.from({ length: shapes }, (_, b) => ({ table: 'among_rows', where: `b = ${b}` })));
    const [one, ofMany] = [new ShapeReader(lone.url, whereOf('lone_rows')), new ShapeReader(among.url, whereOf('among_rows'))];
    for (const reader of [one, ofMany]) await reader.readToEnd();
    for (let first = 1; ; first += commits) {
      const limit = await backlog(database, { service: lone, other: among, reader: one, table: 'lone_rows', first, commits });
      const ours = await backlog(database, { service: among, other: lone, reader: ofMany, table: 'among_rows', first, commits });
      const perSecond = ({ elapsedMs }: Spent): number => (commits / elapsedMs) * 1000;
      const each = ({ cpuMicros }: Spent): number => cpuMicros / commits;
      yield [
        { what: 'commits per second', unit: '/s', measured: perSecond(ours), limit: perSecond(limit) },
        { what: 'CPU per commit', unit: 'µs', measured: each(ours), limit: each(limit) },
      ];
    }
  },
};

function whereOf(table: string): Readonly<Record<string, string>> {
  return { table, where: 'b = 0' };
}

interface Backlog {
  readonly service: Service;
  /** Held still until the other one has finished. */
  readonly other: Service;
  readonly reader: ShapeReader;
  readonly table: string;
  readonly first: number;
  readonly commits: number;
}

async function backlog(database: Database, { service, other, reader, table, first, commits }: Backlog): Promise<Spent> {
  await comeToRest(service);
  for (const each of [service, other]) each.hold();
  await database.query('SET synchronous_commit = off');
  await database.query(`CALL raise_each('${table}', ${first}, ${commits})`);
  await database.query('SET synchronous_commit = on');
  const spent = await spentDuring(service, async () => {
    service.resume();
    await reader.readText(`"n":"${first + commits - 1}"`);
  });
  other.resume();
  return spent;
}
