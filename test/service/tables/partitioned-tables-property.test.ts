/**
 * Random trees of two levels, and whatever can happen to their rows and to their partitions: strict clients of shapes on the root, on
 * what is in between and on partitions have what SELECT gives, in the end and in between.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../../support/service/service.ts';
import { ShapeFollower } from '../../support/service/shape-follower.ts';

const RUNS = 6;
const KINDS = ['a', 'b', 'c', 'd'] as const;
/** Identifiers from one half on are in the upper partition of a kind that is partitioned. */
const [IDS, HALF] = [12, 6];

let database: TestDatabase;
let service: ServiceInProcess;
let trees = 0;

beforeAll(async () => {
  database = await createDatabase();
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'publication-refresh-period': '100ms' } });
});
afterAll(async () => {
  await service.remove();
  await database.drop();
});

const kind = fc.constantFrom(...KINDS);
const id = fc.nat(IDS - 1);
const owner = fc.constantFrom('x', 'y', 'z');
const condition = fc.oneof(
  id.map((below) => `id < ${below}`),
  kind.map((of) => `kind = '${of}'`),
  owner.map((of) => `owner = '${of}'`),
  fc.constantFrom(`kind IN ('a', 'c')`, `owner <> 'x' AND id > 2`, 'true'),
);

/** `@` is the root. */
const selecting = fc
  .tuple(fc.constantFrom('owner', 'id'), fc.constantFrom('IN', 'NOT IN'), fc.constantFrom('@', '@', '@_a'), condition)
  .map(([column, test, of, where]) => `${column} ${test} (SELECT ${column} FROM ${of} WHERE ${where})`);

const writing = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(kind, id, owner).map((row) => `INSERT INTO @ VALUES ('${row[0]}', ${row[1]}, '${row[2]}')`) },
  { weight: 3, arbitrary: fc.tuple(kind, condition).map(([to, where]) => `UPDATE @ SET kind = '${to}' WHERE ${where}`) },
  { weight: 2, arbitrary: fc.tuple(id, condition).map(([by, where]) => `UPDATE @ SET id = (id + ${by}) % ${IDS} WHERE ${where}`) },
  { weight: 2, arbitrary: fc.tuple(owner, condition).map(([to, where]) => `UPDATE @ SET owner = '${to}' WHERE ${where}`) },
  { weight: 1, arbitrary: condition.map((where) => `DELETE FROM @ WHERE ${where}`) },
);
const truncating = fc.constantFrom('@', '@_a', '@_b', '@_c').map((table) => `TRUNCATE ${table}`);
/** A kind leaves with its rows, and comes back with others or as something new. */
const moving = kind.chain((of) => fc.constantFrom(
  `ALTER TABLE @ DETACH PARTITION @_${of}`,
  `ALTER TABLE @ DETACH PARTITION @_${of}; UPDATE @_${of} SET owner = 'z'; ALTER TABLE @ ATTACH PARTITION @_${of} FOR VALUES IN ('${of}')`,
  `ALTER TABLE @ ATTACH PARTITION @_${of} FOR VALUES IN ('${of}')`,
  `CREATE TABLE @_${of} PARTITION OF @ FOR VALUES IN ('${of}')`,
  `CREATE TABLE @_${of} (LIKE @ INCLUDING ALL); INSERT INTO @_${of} VALUES ('${of}', 1, 'y');
   ALTER TABLE @ ATTACH PARTITION @_${of} FOR VALUES IN ('${of}')`,
));
/**
 * Each list of statements goes together, or not at all; undefined is a look at what the clients have. There is one when partitions have
 * come or gone: until that is noticed, a root tells what its clients rightly refuse.
 */
const step = fc.oneof(
  { weight: 8, arbitrary: fc.array(writing, { minLength: 1, maxLength: 4 }).map((statements) => [statements]) },
  { weight: 1, arbitrary: truncating.map((statement) => [[statement]]) },
  { weight: 2, arbitrary: moving.map((statement) => [[statement], undefined]) },
  { weight: 2, arbitrary: fc.constant([undefined]) },
);

const scene = fc.record({
  /** Kinds that are there from the start, and whether each is partitioned. */
  partitioned: fc.array(fc.boolean(), { minLength: 2, maxLength: 3 }),
  shapes: fc.array(fc.tuple(fc.constantFrom('@', '@_a', '@_b', '@'), condition, fc.constantFrom('default', 'full')), {
    minLength: 2, maxLength: 4,
  }),
  dependent: fc.array(fc.tuple(fc.constantFrom('@_items', '@'), selecting, fc.constantFrom('default', 'full')), {
    minLength: 1, maxLength: 2,
  }),
  steps: fc.array(step, { minLength: 10, maxLength: 25 }),
});

/** What Postgres refuses (a key that is there, no partition for a row, a table that is not there) has not happened. */
async function attempt(statements: readonly string[], root: string): Promise<void> {
  try {
    await database.query(`BEGIN; ${statements.join('; ').replaceAll('@', root)}; COMMIT`);
  } catch (error) {
    await database.query('ROLLBACK');
    if (!/^(?:23|42)/.test(String((error as { code?: string }).code))) throw error;
  }
}

function treeOf(root: string, partitioned: readonly boolean[]): string {
  const kinds = partitioned.map((isPartitioned, index) => {
    const of = KINDS[index];
    const table = `${root}_${of}`;
    if (!isPartitioned) return `CREATE TABLE ${table} PARTITION OF ${root} FOR VALUES IN ('${of}')`;
    return `
      CREATE TABLE ${table} (owner text, id int NOT NULL, kind text NOT NULL, PRIMARY KEY (kind, id)) PARTITION BY RANGE (id);
      ALTER TABLE ${root} ATTACH PARTITION ${table} FOR VALUES IN ('${of}');
      CREATE TABLE ${table}_low PARTITION OF ${table} FOR VALUES FROM (MINVALUE) TO (${HALF});
      CREATE TABLE ${table}_high PARTITION OF ${table} FOR VALUES FROM (${HALF}) TO (MAXVALUE)`;
  });
  const items = `
    CREATE TABLE ${root}_items (kind text, id int PRIMARY KEY, owner text);
    INSERT INTO ${root}_items SELECT 'item', n, (ARRAY['x', 'y', 'z'])[1 + n % 3] FROM generate_series(0, ${IDS - 1}) n`;
  const top = `CREATE TABLE ${root} (kind text, id int, owner text, PRIMARY KEY (kind, id)) PARTITION BY LIST (kind)`;
  return [items, top, ...kinds].join(';');
}

type Rows = readonly (readonly string[])[];

/** What a strict client refuses is nothing that may yet come right. */
async function comeToServe(served: () => Promise<Rows>, selected: Rows): Promise<void> {
  const refusals: unknown[] = [];
  const servedOrRefused = () => served().catch((error: unknown) => {
    refusals.push(error);
    return selected;
  });
  await expect.poll(servedOrRefused).toEqual(selected);
  expect(refusals).toEqual([]);
}

test('strict clients of a tree have what SELECT gives', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(scene, async ({ partitioned, shapes, dependent, steps }) => {
      const root = `random_${(trees += 1)}`;
      await database.query(treeOf(root, partitioned));
      const followers = await Promise.all([...shapes, ...dependent].map(async (shape) => {
        const [table, where, replica] = [shape[0].replace('@', root), shape[1].replaceAll('@', root), shape[2]];
        const params = { table, where, replica, move_outs: 'deletes' };
        return { table, where, follower: await new ShapeFollower(service.shapeUrl, params).catchUp() };
      }));
      const selected = async (): Promise<Rows> => {
        const found: string[][] = [];
        for (const { table, where } of followers) {
          const rows = await database.query(`SELECT kind || ' ' || id || ' ' || owner AS row FROM ${table} WHERE ${where}`);
          found.push(rows.map(({ row }) => String(row)).sort());
        }
        return found;
      };
      const served = async (): Promise<Rows> => {
        return await Promise.all(followers.map(async ({ follower }) => {
          return [...(await follower.catchUp()).rows.values()].map((row) => `${row['kind']} ${row['id']} ${row['owner']}`).sort();
        }));
      };
      for (const statements of [...steps.flat(), undefined]) {
        if (statements === undefined) await comeToServe(served, await selected());
        else await attempt(statements, root);
      }
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
});
