/** Many outer shapes over one inner shape, each with rows of its own. */
import { invariant } from '../../src/base/invariant.ts';
import { ShapeReader } from '../shape-reader.ts';
import { readAll } from '../clients/read-all.ts';
import type { Workload } from '../suite/workload.ts';
import { spentUntilRest, timed } from '../timing.ts';

export const sharedInner: Workload = {
  name: 'shared-inner',
  sentence: 'a parent that comes and goes for very many shapes, which all have the same subquery',
  size: 1_000,
  sizeMin: 2,
  unit: 'shapes, with one row each below the parent',
  limit: 'the SELECT of each shape, one after the other',
  targets: {},
  async *measure(world, dependants) {
    const { database } = world;
    await database.query(`
      CREATE TABLE teams (id int PRIMARY KEY, active boolean NOT NULL);
      CREATE TABLE tasks (id int PRIMARY KEY, team_id int NOT NULL, bucket int NOT NULL);
      CREATE INDEX ON tasks (bucket);
      INSERT INTO teams VALUES (1, false), (2, true);
      INSERT INTO tasks SELECT 2 * i, 1, i FROM generate_series(1, ${dependants}) i;
      INSERT INTO tasks SELECT 2 * i + 1, 2, i FROM generate_series(1, ${dependants}) i`);
    const service = await world.service();
    const wheres = Array.from({ length: dependants }, (_, index) => whereOf(index + 1));
    const readers = wheres.map((where) => new ShapeReader(service.url, { table: 'tasks', where }));
    await readAll(readers);
    for (let round = 1; ; round += 1) {
      const limit = await timed(async () => {
        for (const where of wheres) await database.query(`SELECT * FROM tasks WHERE ${where}`);
      });
      const comes = await spentUntilRest(service, () => database.query('UPDATE teams SET active = true WHERE id = 1'));
      await Promise.all(readers.map((reader) => reader.readRows(round + 1))); // What came and went at once would be told to nobody.
      const goes = await spentUntilRest(service, () => database.query('UPDATE teams SET active = false WHERE id = 1'));
      await Promise.all(readers.map((reader) => reader.readText('"event":"move-out"')));
      invariant(readers.every(({ rows }) => rows === round + 1), 'every dependant was told of its row each time, and of nothing else');
      yield [
        { what: 'it comes', unit: 'ms', measured: comes.elapsedMs, limit },
        { what: 'it comes: CPU per shape', unit: 'µs', measured: comes.cpuMicros / dependants },
        { what: 'it goes', unit: 'ms', measured: goes.elapsedMs, limit },
        { what: 'it goes: CPU per shape', unit: 'µs', measured: goes.cpuMicros / dependants },
      ];
    }
  },
};

function whereOf(bucket: number): string {
  return `bucket = ${bucket} AND team_id IN (SELECT id FROM teams WHERE active)`;
}
