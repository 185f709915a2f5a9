/**
 * Parents that come and go: how long after its COMMIT a live client has what moved. What the same rows cost by a SELECT, which
 * knows them already, stands beside it.
 */
import type { Database } from '../database.ts';
import type { Service } from '../service.ts';
import { ShapeReader } from '../shape-reader.ts';
import { spentOnMove, spentRow } from './move-timing.ts';
import type { Row } from './report.ts';
import { median, timed, type Spent } from '../timing.ts';

const CHILDREN_EACH = 10;
/** Of the parents that do not move. */
const RESIDENTS = 100;
const WHERE = 'parent_id IN (SELECT id FROM parents WHERE active)';

export interface MovingParentsOptions {
  /** How often one parent comes and goes. */
  readonly tries: number;
  /** That move in one transaction. */
  readonly together: number;
  readonly rounds: number;
}

export async function movingParents(database: Database, service: Service, options: MovingParentsOptions): Promise<Row[]> {
  await createFamilies(database, options.together);
  const reader = new ShapeReader(service.url, { table: 'children', where: WHERE });
  await reader.readToEnd();
  const one = await movesOf({ database, service, reader, parents: 1, tries: options.tries });
  const many = await movesOf({ database, service, reader, parents: options.together, tries: options.rounds });
  return [...rowsOf('1 parent', one), ...rowsOf(`${options.together} parents in one transaction`, many)];
}

/** The first ones move, those behind them are always active. */
async function createFamilies(database: Database, moving: number): Promise<void> {
  await database.query(`
    CREATE TABLE parents (id int PRIMARY KEY, active boolean NOT NULL);
    CREATE TABLE children (id int PRIMARY KEY, parent_id int NOT NULL, title text);
    CREATE INDEX ON children (parent_id);
    INSERT INTO parents SELECT i, i > ${moving} FROM generate_series(1, ${moving + RESIDENTS}) i;
    INSERT INTO children SELECT i, 1 + i / ${CHILDREN_EACH}, 'title ' || i
      FROM generate_series(0, ${(moving + RESIDENTS) * CHILDREN_EACH - 1}) i`);
  await database.query('VACUUM (ANALYZE) parents, children');
}

interface Moving {
  readonly database: Database;
  readonly service: Service;
  readonly reader: ShapeReader;
  readonly parents: number;
  readonly tries: number;
}

interface Moves {
  readonly moveIns: Spent[];
  readonly moveOuts: Spent[];
  readonly selectsMs: number[];
}

async function movesOf(moving: Moving): Promise<Moves> {
  const { database, reader, parents, tries } = moving;
  const rows = parents * CHILDREN_EACH;
  const selected = `SELECT * FROM children WHERE parent_id IN (SELECT id FROM parents WHERE active AND id <= ${parents})`;
  const moves: Moves = { moveIns: [], moveOuts: [], selectsMs: [] };
  for (let count = 0; count < tries; count += 1) {
    const expected = reader.rows + rows;
    moves.moveIns.push(await spentOnMove(moving, toggled(parents, true), () => reader.readRows(expected)));
    moves.selectsMs.push(await timed(() => database.query(selected)));
    moves.moveOuts.push(await spentOnMove(moving, toggled(parents, false), () => reader.readText('"event":"move-out"')));
  }
  return moves;
}

function toggled(parents: number, active: boolean): string {
  return `UPDATE parents SET active = ${active} WHERE id <= ${parents}`;
}

function rowsOf(what: string, { moveIns, moveOuts, selectsMs }: Moves): Row[] {
  const against = { what: 'SELECT', figure: median(selectsMs) };
  return [spentRow(`${what} moved in`, moveIns, against), spentRow(`${what} moved out`, moveOuts, against)];
}
