/** Parents that come and go, and bring their children with them or take them away. */
import { invariant } from '../../src/base/invariant.ts';
import { spentOnMove } from '../clients/move-timing.ts';
import type { Database } from '../database.ts';
import type { Service } from '../service.ts';
import { ShapeReader } from '../shape-reader.ts';
import { max, type Round, type Workload } from '../suite/workload.ts';
import { median, timed, type Spent } from '../timing.ts';

const CHILDREN_EACH = 10;
/** Of the parents that do not move. */
const RESIDENTS = 100;
/** Of one parent: one for so many that move at once, up to so many. */
const [PARENTS_PER_TRY, TRIES_MAX] = [50, 15];
const TRIES_OF_ALL = 3;
const WHERE = 'parent_id IN (SELECT id FROM parents WHERE active)';

export const moveIn: Workload = {
  name: 'move-in',
  sentence: 'from a COMMIT that makes parents active to a live client that has all of their children, ten of each',
  size: 1_000,
  sizeMin: 2,
  unit: 'parents in one transaction, and one alone',
  limit: 'a SELECT of the same children, which knows already whose they are',
  targets: { 'one parent comes': max(4), 'all come at once': max(120) },
  async *measure(world, parents) {
    const { database } = world;
    await createFamilies(database, parents);
    const service = await world.service();
    const reader = new ShapeReader(service.url, { table: 'children', where: WHERE });
    await reader.readToEnd();
    for (;;) {
      const one = await movesOf({ database, service, reader, parents: 1, tries: triesOf(parents) });
      const all = await movesOf({ database, service, reader, parents, tries: Math.min(TRIES_OF_ALL, triesOf(parents)) });
      yield [...readingsOf('one parent', 'comes', one), ...readingsOf('all', 'come at once', all)];
    }
  },
};

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
  readonly comings: Spent[];
  readonly goings: Spent[];
  readonly selectsMs: number[];
}

async function movesOf(moving: Moving): Promise<Moves> {
  const { database, reader, parents, tries } = moving;
  const selected = `SELECT * FROM children WHERE parent_id IN (SELECT id FROM parents WHERE active AND id <= ${parents})`;
  const moves: Moves = { comings: [], goings: [], selectsMs: [] };
  for (let count = 0; count < tries; count += 1) {
    const expected = reader.rows + parents * CHILDREN_EACH;
    moves.comings.push(await spentOnMove(moving, toggled(parents, true), () => reader.readRows(expected)));
    moves.selectsMs.push(await timed(() => database.query(selected)));
    moves.goings.push(await spentOnMove(moving, toggled(parents, false), () => reader.readText('"event":"move-out"')));
    invariant(reader.rows === expected, `a client has been told of ${expected} rows, not ${reader.rows}`);
  }
  return moves;
}

function triesOf(parents: number): number {
  return Math.min(TRIES_MAX, Math.ceil(parents / PARENTS_PER_TRY));
}

function toggled(parents: number, active: boolean): string {
  return `UPDATE parents SET active = ${active} WHERE id <= ${parents}`;
}

function readingsOf(who: string, verb: string, { comings, goings, selectsMs }: Moves): Round {
  const ms = (spent: readonly Spent[]): number => median(spent.map(({ elapsedMs }) => elapsedMs));
  const cpuMicros = comings.reduce((sum, spent) => sum + spent.cpuMicros, 0) / comings.length;
  return [
    { what: `${who} ${verb}`, unit: 'ms', measured: ms(comings), limit: median(selectsMs) },
    { what: `${who} ${verb}: CPU`, unit: 'ms', measured: cpuMicros / 1000 },
    { what: `${who} ${verb.replace('come', 'go').replace('gos', 'goes')}`, unit: 'ms', measured: ms(goings) },
  ];
}
