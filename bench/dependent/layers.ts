/**
 * Subqueries within subqueries: a row of the innermost table is toggled, and a live client of the outermost one gets what hangs on it,
 * through one layer of shapes after the other. What each layer adds is the difference between two rows.
 */
import type { Database } from '../database.ts';
import type { Service } from '../service.ts';
import { ShapeReader } from '../shape-reader.ts';
import { spentOnMove, spentRow } from './move-timing.ts';
import type { Row } from './report.ts';
import { median, timed, type Spent } from '../timing.ts';

const DEPTH_MAX = 4;
/** Those that do not move, of each level. */
const RESIDENTS = 100;

export interface LayersOptions {
  /** Rows of the outermost table that hang on the toggled one. */
  readonly leaves: number;
  /** How often it is toggled, for each depth. */
  readonly tries: number;
}

export async function layers(database: Database, service: Service, options: LayersOptions): Promise<Row[]> {
  await createLevels(database, options.leaves);
  const rows: Row[] = [];
  for (let depth = 1; depth <= DEPTH_MAX; depth += 1) rows.push(...(await togglesAt(depth, database, service, options)));
  return rows;
}

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

function selectedAt(level: number): string {
  return `SELECT id FROM level_${level} WHERE ${level === 0 ? 'active' : `parent_id IN (${selectedAt(level - 1)})`}`;
}

async function togglesAt(depth: number, database: Database, service: Service, { leaves, tries }: LayersOptions): Promise<Row[]> {
  const where = `parent_id IN (${selectedAt(depth - 1)})`;
  const reader = new ShapeReader(service.url, { table: 'leaves', where });
  await reader.readToEnd();
  const [ins, outs, selectsMs]: [Spent[], Spent[], number[]] = [[], [], []];
  const toggle = (active: boolean) => `UPDATE level_0 SET active = ${active} WHERE id = 1`;
  for (let count = 0; count < tries; count += 1) {
    const expected = reader.rows + leaves;
    ins.push(await spentOnMove({ database, service }, toggle(true), () => reader.readRows(expected)));
    selectsMs.push(await timed(() => database.query(`SELECT * FROM leaves WHERE ${where}`)));
    outs.push(await spentOnMove({ database, service }, toggle(false), () => reader.readText('"event":"move-out"')));
  }
  const against = { what: 'SELECT', figure: median(selectsMs) };
  const what = `${depth} ${depth === 1 ? 'layer' : 'layers'} below ${leaves} rows,`;
  return [spentRow(`${what} moved in`, ins, against), spentRow(`${what} moved out`, outs, against)];
}
