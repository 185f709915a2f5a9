/**
 * A row comes into a shape that depends on others by its first snapshot, by a move and by the stream. Whatever its values are, its key,
 * its tags and its conditions are the same bytes each time: else a client would take it for another row, or keep it when it has left.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape } from '../support/service/shape-follower.ts';

const RUNS = 8;
const OFTEN = { interval: 20 };
/** In the order in which they are taken here. */
const PATHS = ['snapshot', 'move', 'delete', 'stream'];
let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE owners (id numeric PRIMARY KEY, active boolean NOT NULL);
    CREATE TABLE items (run int, name text, done boolean, owner numeric, at timestamptz, PRIMARY KEY (run, name, done));
    INSERT INTO owners SELECT n, true FROM generate_series(1, 3) AS n`);
  service = await startServiceInProcess({ databaseUrl: database.url });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

const item = fc.record({
  name: fc.oneof(fc.constantFrom('', '/', '"', '\\', 'a/b', '","tags":["', 'é\u{1F600}', '\n'), fc.string({ maxLength: 5 })),
  done: fc.boolean(),
  owner: fc.option(fc.constantFrom('1', '1.0', '1.000', '2', '2.50', '3'), { freq: 6 }),
  at: fc.option(fc.constantFrom('2024-02-29 12:00+05', 'infinity')),
});
const items = fc.uniqueArray(item, { minLength: 1, maxLength: 20, selector: ({ name, done }) => `${name} ${done}` });

async function insert(run: number, rows: readonly object[]): Promise<void> {
  const columns = 'name text, done boolean, owner numeric, at timestamptz';
  await database.query(`INSERT INTO items SELECT $1, r.* FROM json_to_recordset($2::json) AS r (${columns})`, [run, JSON.stringify(rows)]);
}

/** All that its log holds, from the first row on. */
async function logOf(shape: Readonly<Record<string, string>>): Promise<string> {
  const { text, handle, offset } = await readShape(service.shapeUrl, { ...shape, offset: '-1' });
  const rest = await readShape(service.shapeUrl, { ...shape, offset: offset ?? '', handle: handle ?? '' });
  return text + rest.text;
}

/** In a text no quote stands without a backslash: so what begins like a line is one. */
const LINE = /\{"key":("(?:[^"\\]|\\.)*").*?"headers":\{(.*?)("tags":\["[^\]]*\],"active_conditions":\[[^\]]*\])([^}]*)\}/gs;

/** Of each row, by its key as it is written, how it came and went and with which marks. */
function histories(log: string): readonly { readonly paths: readonly string[]; readonly marks: readonly string[] }[] {
  const lines = Array.from(log.matchAll(LINE), ([, key, before = '', marks = '', behind = '']) => {
    return { key, marks, path: pathOf(before, behind) };
  });
  return [...new Set(lines.map(({ key }) => key))].map((key) => {
    const own = lines.filter((line) => line.key === key);
    return { paths: own.map(({ path }) => path), marks: [...new Set(own.map(({ marks }) => marks))] };
  });
}

function pathOf(before: string, behind: string): string {
  if (before.includes('"operation":"delete"')) return 'delete';
  if (before.includes('"is_move_in":true')) return 'move';
  return behind.includes('"txids"') ? 'stream' : 'snapshot';
}

test('a row of any values has the same bytes of key, tags and conditions by every path', async () => {
  let run = 0;
  const property = fc.asyncProperty(items, async (rows) => {
    run += 1;
    const where = `run = ${run} AND owner IN (SELECT id FROM owners WHERE active) AND (done OR at IS NOT NULL)`;
    const shape = { table: 'items', where };
    await insert(run, rows);
    await logOf(shape);
    for (const [active, event] of [[false, 'move-out'], [true, 'move-in']]) {
      await database.query(`UPDATE owners SET active = ${active}`);
      await expect.poll(() => logOf(shape), OFTEN).toContain(`"event":"${event}"`);
    }
    await database.query(`DELETE FROM items WHERE run = ${run}`);
    await insert(run, rows);
    const selected = await database.query(`SELECT FROM items WHERE ${where}`);

    await expect.poll(async () => histories(await logOf(shape)), OFTEN).toEqual(
      selected.map(() => ({ paths: PATHS, marks: [expect.stringContaining('"active_conditions":[')] })),
    );
  });
  await fc.assert(property, { numRuns: RUNS });
});
