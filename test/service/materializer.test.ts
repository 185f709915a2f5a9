/**
 * A Materializer in the running service: the values of one column of a shape, each with the number of its rows, as
 * `SELECT … GROUP BY` counts them; what each transaction did to them; and its end when its Consumer ends.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { LinkValues } from '../../src/actors/link-values.ts';
import { invariant } from '../../src/base/invariant.ts';
import { seededRandom, type Random } from '../../src/base/random.ts';
import { BEFORE_ALL, type LogOffset } from '../../src/model/log-offset.ts';
import type { Name, Table } from '../../src/otp/process.ts';
import { dependant, type ViewChange } from '../support/hand-over/dependant.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { askForMaterializer, startMaterializer } from '../support/service/materializer.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

let database: TestDatabase;
let service: ServiceInProcess;
let table = '';

beforeAll(async () => {
  database = await createDatabase();
  service = await startServiceInProcess({ databaseUrl: database.url });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

let tables = 0;
beforeEach(async () => {
  tables += 1;
  table = `issues_${tables}`;
  await database.query(`CREATE TABLE ${table} (id integer PRIMARY KEY, project integer, price numeric, done boolean)`);
  await database.query(`INSERT INTO ${table} SELECT n, n % 4, (n % 3) + 0.50, n % 2 = 0 FROM generate_series(1, 8) AS n`);
});

/** Asks for the shape as a client does, and starts a Materializer on it. */
async function materialize(column: string): Promise<Name> {
  const { handle = '' } = await new ShapeFollower(service.shapeUrl, { table }).catchUp();
  return await startMaterializer(service.runtime, handle, column);
}

function valuesOf(materializer: Name): LinkValues {
  const values = service.runtime.tableOf(materializer, 'values');
  invariant(values instanceof LinkValues, 'a Materializer lives and has values');
  return values;
}

type Told = 'begin' | 'invalidate' | 'refuse' | { readonly movedIn: readonly string[]; readonly movedOut: readonly string[] };

/** What a dependant was told, in order. */
class Chronicle implements Table<ViewChange> {
  readonly told: Told[] = [];
  private at = BEFORE_ALL;

  constructor(private readonly source: Name) {}

  apply(change: ViewChange): undefined {
    if (typeof change === 'string') this.told.push(change);
    else if ('begin' in change) this.begin(change.begin);
    else this.takeMoves(change.takeMoves);
  }

  clone(): Chronicle {
    const copy = new Chronicle(this.source);
    copy.told.push(...this.told);
    return copy;
  }

  key(): string {
    return JSON.stringify(this.told);
  }

  private begin(at: LogOffset): void {
    this.at = at;
    this.told.push('begin');
  }

  private takeMoves(through: LogOffset): void {
    const { movedIn, movedOut } = valuesOf(this.source).movesBetween(this.at, through);
    this.told.push({ movedIn: movedIn.map(({ value }) => value), movedOut: movedOut.map(({ value }) => value) });
    this.at = through;
  }
}

/** Depends on the values as an outer shape will. */
async function depend(materializer: Name): Promise<readonly Told[]> {
  const chronicle = new Chronicle(materializer);
  await service.runtime.start({ machine: dependant, input: { materializer }, tables: () => ({ view: chronicle }) }, { id: 'dependant' });
  await expect.poll(() => chronicle.told).toEqual(['begin']);
  return chronicle.told;
}

/** Each value with its rows, as Postgres counts them; its text is the one that stands for all of its texts. */
async function selectCounts(expression: string): Promise<Map<string | null, number>> {
  const rows = await database.query<{ value: string | null; rows: number }>(
    `SELECT ${expression} AS value, count(*)::integer AS rows FROM ${table} GROUP BY 1 ORDER BY 1`,
  );
  return new Map(rows.map(({ value, rows: count }) => [value, count]));
}

const BOOLEAN_TEXT = "CASE WHEN done THEN 't' WHEN NOT done THEN 'f' END";

test('after random writes its counts are those of SELECT, for a Materializer that was there before, meanwhile and after', async () => {
  const before = await materialize('project');
  await write(seededRandom(1), 150);
  const meanwhile = await materialize('price');
  await write(seededRandom(2), 150);
  const after = await materialize('done');

  const expected = [await selectCounts('project::text'), await selectCounts('trim_scale(price)::text'), await selectCounts(BOOLEAN_TEXT)];

  await expect.poll(() => [before, meanwhile, after].map((materializer) => valuesOf(materializer).counts)).toEqual(expected);
});

async function write(random: Random, transactions: number): Promise<void> {
  const session = await database.session();
  const oneOf = (values: readonly string[]): string => values[random.below(values.length)] ?? 'NULL';
  for (let count = 0; count < transactions; count += 1) {
    await session.query('BEGIN');
    for (let statements = 1 + random.below(4); statements > 0; statements -= 1) {
      const id = random.below(30);
      const [project, price, done] = [
        oneOf(['0', '1', '2', 'NULL']),
        oneOf(['1', '1.0', '1.00', '0.50', '.5', 'NULL']),
        oneOf(['true', 'false', 'NULL']),
      ];
      if (random.below(4) === 0) await session.query(`DELETE FROM ${table} WHERE id = ${id}`);
      else await session.query(`INSERT INTO ${table} VALUES (${id}, ${project}, ${price}, ${done})
        ON CONFLICT (id) DO UPDATE
          SET project = excluded.project, price = ${oneOf(['excluded.price', `${table}.price`])}, done = excluded.done`);
    }
    await session.query(random.below(6) === 0 ? 'ROLLBACK' : 'COMMIT');
  }
}

test('values that their type calls equal are one, whatever their text: booleans of snapshot and stream, numerics with zeros', async () => {
  const [done, price] = [await materialize('done'), await materialize('price')];
  const [states, prices] = [await depend(done), await depend(price)];
  const fromSnapshot = [...valuesOf(done).counts.keys()].sort();

  await database.query(`UPDATE ${table} SET done = true, price = price::numeric(10, 4)`);
  await database.query(`INSERT INTO ${table} VALUES (100, 0, 7, true)`);

  await expect.poll(() => [valuesOf(done).counts, valuesOf(price).counts.get('7')]).toEqual([new Map([['t', 9]]), 1]);
  expect({ fromSnapshot, states, prices }).toEqual({
    fromSnapshot: ['f', 't'],
    states: ['begin', { movedIn: [], movedOut: ['f'] }],
    prices: ['begin', { movedIn: ['7'], movedOut: [] }],
  });
});

test('a transaction moves what is left of it at its commit, and it is told too when the last NULL goes', async () => {
  const told = await depend(await materialize('project'));

  await database.query(`
    BEGIN;
    INSERT INTO ${table} (id, project) VALUES (100, 9), (101, 10), (102, NULL);
    UPDATE ${table} SET project = 11 WHERE project = 10;
    UPDATE ${table} SET project = 12 WHERE project = 3;
    UPDATE ${table} SET project = 3 WHERE project = 12;
    DELETE FROM ${table} WHERE project = 2;
    COMMIT`);
  const atCommit = ['begin', { movedIn: ['11', '9'], movedOut: ['2'] }];
  await expect.poll(() => told).toEqual(atCommit); // What comes behind it in one batch would be told with it.
  await database.query(`INSERT INTO ${table} (id, project) VALUES (103, 9)`);
  await database.query(`DELETE FROM ${table} WHERE project IS NULL`);

  await expect.poll(() => told).toEqual([...atCommit, { movedIn: [], movedOut: [] }]);
});

test('one whose Consumer is killed ends invalidated, whatever it was doing, and its dependant is told once', async () => {
  const { handle = '' } = await new ShapeFollower(service.shapeUrl, { table }).catchUp();
  const settled = await startMaterializer(service.runtime, handle, 'project');
  const told = await depend(settled);
  const starting = await Promise.all(['price', 'done', 'id'].map((column) => startMaterializer(service.runtime, handle, column)));
  const ends = [settled, ...starting].map((materializer) => service.runtime.whenDown(materializer));

  service.runtime.exit(`@consumer/${handle}`, 'kill');

  const invalidated = { shutdown: { delete: 'consumerCrashed' } };
  expect({ ends: await Promise.all(ends), told }).toEqual({
    ends: [invalidated, invalidated, invalidated, invalidated],
    told: ['begin', 'invalidate'],
  });
});

test('one of a column that the shape does not select does not start', async () => {
  const { handle = '' } = await new ShapeFollower(service.shapeUrl, { table, columns: 'id,project' }).catchUp();

  const answer = await askForMaterializer(service.runtime, handle, 'done');

  expect(answer).toMatchObject({ type: 'child.refused', reason: { error: { message: expect.stringContaining('not done') as unknown } } });
});

test('when the service drains it stops, and its dependant is told nothing', async () => {
  const materializer = await materialize('project');
  const told = await depend(materializer);
  const end = service.runtime.whenDown(materializer);

  await service.stop();

  expect({ end: await end, told }).toEqual({ end: 'shutdown', told: ['begin'] });
});
