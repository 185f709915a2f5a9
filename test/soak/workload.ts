/**
 * What is written during a soak: updates of a few rows, of many and of wide ones, rows that come and go for ever, and values that move in
 * and out of a subquery. Every table stays as large as it is, so whatever grows is the service's.
 */
import type { Random } from '../../src/base/random.ts';

const HOT_ROWS = 5;
const MANY_ROWS = 2_000;
const WIDE_ROWS = 40;
const WIDE_COLUMNS = Array.from({ length: 30 }, (_, index) => `c${index}`);
const PASSING_ROWS = 1_000;
const PASSING_PER_TRANSACTION = 20;
const PARENTS = 50;
const CHILDREN = 1_000;
/** Of one transaction that is not like the others, there are so many that are. */
const LARGE_EVERY = 200;
const MOVE_EVERY = 20;

export const TABLES = `
  CREATE TABLE hot (id int PRIMARY KEY, n int NOT NULL, note text);
  CREATE TABLE many (id int PRIMARY KEY, n int NOT NULL, title text);
  CREATE TABLE wide (id int PRIMARY KEY, ${WIDE_COLUMNS.map((name) => `${name} text`).join(', ')});
  CREATE TABLE passing (id int PRIMARY KEY, body text);
  CREATE TABLE parents (id int PRIMARY KEY, active boolean NOT NULL);
  CREATE TABLE children (id int PRIMARY KEY, parent_id int NOT NULL, n int NOT NULL);
  INSERT INTO hot SELECT id, 0, 'first' FROM generate_series(1, ${HOT_ROWS}) id;
  INSERT INTO many SELECT id, id, repeat('m', 200) FROM generate_series(1, ${MANY_ROWS}) id;
  INSERT INTO wide SELECT id, ${WIDE_COLUMNS.map(() => "repeat('w', 150)").join(', ')} FROM generate_series(1, ${WIDE_ROWS}) id;
  INSERT INTO passing SELECT id, repeat('p', 300) FROM generate_series(1, ${PASSING_ROWS}) id;
  INSERT INTO parents SELECT id, id % 2 = 0 FROM generate_series(1, ${PARENTS}) id;
  INSERT INTO children SELECT id, id % ${PARENTS} + 1, 0 FROM generate_series(1, ${CHILDREN}) id`;

/** What readers follow, and the query whose rows they must end with. */
export interface SoakShape {
  readonly params: { readonly table: string; readonly where?: string; readonly replica?: 'full'; readonly move_outs?: 'deletes' };
  readonly select: string;
}

const ACTIVE = 'parent_id IN (SELECT id FROM parents WHERE active = true)';
export const SHAPES: readonly SoakShape[] = [
  { params: { table: 'hot' }, select: 'SELECT * FROM hot' },
  { params: { table: 'many' }, select: 'SELECT * FROM many' },
  { params: { table: 'many', where: 'n % 2 = 0' }, select: 'SELECT * FROM many WHERE n % 2 = 0' }, // Rows cross its border all the time.
  { params: { table: 'wide', replica: 'full' }, select: 'SELECT * FROM wide' },
  { params: { table: 'passing' }, select: 'SELECT * FROM passing' },
  { params: { table: 'children', where: ACTIVE, move_outs: 'deletes' }, select: `SELECT * FROM children WHERE ${ACTIVE}` },
];

/** A shape that is like no other, on a table that changes. */
export function shapeOf(number: number): { readonly table: string; readonly where: string } {
  return { table: 'many', where: `id % 40 = ${number % 40} AND n > -${number}` };
}

export class Workload {
  transactions = 0;
  private passed = PASSING_ROWS;

  constructor(private readonly random: Random) {}

  /** The next transaction, as one statement or several. */
  next(): string {
    const { random } = this;
    this.transactions += 1;
    if (this.transactions % LARGE_EVERY === 0) return 'UPDATE many SET n = n + 1';
    const first = 1 + random.below(MANY_ROWS);
    const column = WIDE_COLUMNS[random.below(WIDE_COLUMNS.length)] ?? 'c0';
    return [
      `UPDATE hot SET n = n + 1, note = repeat('${random.below(10)}', 1000) WHERE id <= ${1 + random.below(HOT_ROWS)}`,
      `UPDATE many SET n = n + 1, title = repeat('${random.below(10)}', 200) WHERE id BETWEEN ${first} AND ${first + 20}`,
      `UPDATE wide SET ${column} = repeat('${random.below(10)}', 150 + ${random.below(100)}) WHERE id % 8 = ${random.below(8)}`,
      ...this.passing(),
      `UPDATE children SET n = n + 1 WHERE id % 200 = ${random.below(200)}`,
      ...(this.transactions % MOVE_EVERY === 0 ? this.moves() : []),
    ].join('; ');
  }

  private passing(): readonly string[] {
    const from = this.passed + 1;
    this.passed += PASSING_PER_TRANSACTION;
    return [
      `INSERT INTO passing SELECT id, repeat('${this.random.below(10)}', 300) FROM generate_series(${from}, ${this.passed}) id`,
      `DELETE FROM passing WHERE id <= ${this.passed - PASSING_ROWS}`,
    ];
  }

  /** A parent whose children come or go, and children of which some go with another parent. */
  private moves(): readonly string[] {
    const { random } = this;
    return [
      `UPDATE parents SET active = NOT active WHERE id = ${1 + random.below(PARENTS)}`,
      `UPDATE children SET parent_id = ${1 + random.below(PARENTS)} WHERE id % 100 = ${random.below(100)}`,
    ];
  }
}
