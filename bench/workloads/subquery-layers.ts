/**
 * Subqueries within subqueries: a row of the innermost table is toggled, and a live client of the outermost one gets what hangs on it,
 * through one layer of shapes after the other. What each layer adds is the difference between two readings.
 */
import { spentOnMove } from '../clients/move-timing.ts';
import type { Database } from '../database.ts';
import type { Service } from '../service.ts';
import { ShapeReader } from '../shape-reader.ts';
import type { Round, Workload } from '../suite/workload.ts';
import { median, timed, type Spent } from '../timing.ts';

const DEPTH_MAX = 4;
/** Those that do not move, of each level. */
const RESIDENTS = 100;
/** One for so many rows, up to so many. */
const [ROWS_PER_TRY, TRIES_MAX] = [100, 7];

export const subqueryLayers: Workload = {
  name: 'subquery-layers',
  sentence: 'from a COMMIT at the innermost of one to four subqueries to a live client of the outermost shape that has all that it brings',
  size: 1_000,
  unit: 'rows that come and go',
  limit: 'a SELECT of the outermost rows, with the same subqueries',
  targets: {},
  async *measure(world, leaves) {
    const { database } = world;
    await createLevels(database, leaves);
    const service = await world.service();
    for (let number = 0; ; number += 1) {
      const round: Round[] = [];
      for (let level = 0; level < DEPTH_MAX; level += 1) {
        // A shape of its own, begun behind all that the others were toggled for: none of that can be taken for what is measured.
        const reader = new ShapeReader(service.url, { table: 'leaves', where: `${whereOf(level)} AND id > ${-number}` });
        await reader.readToEnd();
        round.push(await togglesOf({ database, service, reader, level, leaves }));
        reader.close();
      }
      yield round.flat();
    }
  },
};

/** Row 1 of each level hangs on row 1 of the one below; the leaves hang on row 1 of any. */
async function createLevels(database: Database, leaves: number): Promise<void> {
  await database.query(`
    CREATE TABLE level_0 (id int PRIMARY KEY, active boolean NOT NULL);
    INSERT INTO level_0 SELECT i, i > 1 FROM generate_series(1, ${RESIDENTS}) i;
    CREATE TABLE leaves (id int PRIMARY KEY, parent_id int NOT NULL, title text);
    CREATE INDEX ON leaves (parent_id);
    INSERT INTO leaves SELECT i, CASE WHEN i <= ${leaves} THEN 1 ELSE i - ${leaves} END, 'title ' || i
      FROM generate_series(1, ${leaves + RESIDENTS}) i`);
  for (let level = 1; level < DEPTH_MAX; level += 1) {
    await database.query(`
      CREATE TABLE level_${level} (id int PRIMARY KEY, parent_id int NOT NULL);
      INSERT INTO level_${level} SELECT i, i FROM generate_series(1, ${RESIDENTS}) i`);
  }
}

function whereOf(level: number): string {
  return `parent_id IN (${selectedAt(level)})`;
}

function selectedAt(level: number): string {
  return `SELECT id FROM level_${level} WHERE ${level === 0 ? 'active' : whereOf(level - 1)}`;
}

interface Toggled {
  readonly database: Database;
  readonly service: Service;
  readonly reader: ShapeReader;
  readonly level: number;
  readonly leaves: number;
}

async function togglesOf({ database, service, reader, level, leaves }: Toggled): Promise<Round> {
  const comings: Spent[] = [];
  const selectsMs: number[] = [];
  const toggle = (active: boolean) => `UPDATE level_0 SET active = ${active} WHERE id = 1`;
  for (let count = 0; count < Math.min(TRIES_MAX, Math.ceil(leaves / ROWS_PER_TRY)); count += 1) {
    const expected = reader.rows + leaves;
    comings.push(await spentOnMove({ database, service }, toggle(true), () => reader.readRows(expected)));
    selectsMs.push(await timed(() => database.query(`SELECT * FROM leaves WHERE ${whereOf(level)}`)));
    await spentOnMove({ database, service }, toggle(false), () => reader.readText('"event":"move-out"'));
  }
  const what = level === 0 ? 'below one subquery' : `below ${level + 1} of them`;
  return [{ what, unit: 'ms', measured: median(comings.map(({ elapsedMs }) => elapsedMs)), limit: median(selectsMs) }];
}
