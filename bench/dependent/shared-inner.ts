/** Many outer shapes over one inner shape, each with rows of its own: what one parent that comes or goes costs for each. */
import { invariant } from '../../src/base/invariant.ts';
import type { Database } from '../database.ts';
import type { Service } from '../service.ts';
import { ShapeReader } from '../shape-reader.ts';
import { createShapes } from './many-shapes.ts';
import type { Row } from './report.ts';
import { median, spentUntilRest, timed, type Spent } from '../timing.ts';

const ROUNDS = 3;

export async function sharedInner(database: Database, service: Service, dependants: number): Promise<Row[]> {
  await database.query(`
    CREATE TABLE teams (id int PRIMARY KEY, active boolean NOT NULL);
    CREATE TABLE tasks (id int PRIMARY KEY, team_id int NOT NULL, bucket int NOT NULL);
    CREATE INDEX ON tasks (bucket);
    INSERT INTO teams VALUES (1, false), (2, true);
    INSERT INTO tasks SELECT 2 * i, 1, i FROM generate_series(1, ${dependants}) i;
    INSERT INTO tasks SELECT 2 * i + 1, 2, i FROM generate_series(1, ${dependants}) i`);
  const readers = Array.from({ length: dependants }, (_, index) =>
    new ShapeReader(service.url, { table: 'tasks', where: whereOf(index + 1) }));
  await createShapes(readers);
  const comes: Spent[] = [];
  const goes: Spent[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    comes.push(await spentUntilRest(service, () => database.query('UPDATE teams SET active = true WHERE id = 1')));
    goes.push(await spentUntilRest(service, () => database.query('UPDATE teams SET active = false WHERE id = 1')));
  }
  await createShapes(readers); // Reads on from where they stood.
  invariant(readers.every(({ rows }) => rows === 1 + ROUNDS), 'every dependant was told of its row each time');
  const selectMs = await timed(async () => {
    for (let bucket = 1; bucket <= dependants; bucket += 1) await database.query(`SELECT * FROM tasks WHERE ${whereOf(bucket)}`);
  });
  return Object.entries({ comes, goes }).map(([verb, spent]) => ({
    what: `a parent of ${dependants} shapes ${verb}: CPU for each dependant`,
    measured: median(spent.map(({ cpuMicros }) => cpuMicros)) / 1000 / dependants,
    unit: 'ms',
    against: { what: 'SELECT, elapsed', figure: selectMs / dependants },
    detail: `all of them in ${median(spent.map(({ elapsedMs }) => elapsedMs)).toFixed(0)} ms`,
  }));
}

function whereOf(bucket: number): string {
  return `bucket = ${bucket} AND team_id IN (SELECT id FROM teams WHERE active)`;
}
