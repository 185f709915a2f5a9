/**
 * Router and lines together against a plain model: a table is a map, a shape is a filter over it, and whoever folds the
 * lines that a shape was given holds exactly the rows that the filter takes.
 */
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import type { RelationLayout } from '../../src/model/relation.ts';
import type { ShapeDefinition } from '../../src/model/shape.ts';
import type { LogBlock } from '../../src/model/transaction.ts';
import { changesByTransaction } from '../../src/shapes/routed-changes.ts';
import { ChangeConverter } from '../../src/shapes/change-converter.ts';
import { routeWhole } from '../support/route-whole.ts';
import { ShapeRouter } from '../../src/shapes/shape-router.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { Where, WhereLanguage } from '../../src/sql/where.ts';
import { blockOf, transactionOf, tupleOf, type Row, type RowChange } from '../support/actors/changes.ts';
import { handleOf } from '../support/shapes.ts';

const layout: RelationLayout = {
  id: 1,
  oid: 4711,
  schema: 'public',
  name: 'ta/"ble',
  columns: [
    { name: 'id', typeOid: 23, typeMod: -1 },
    { name: 'part', typeOid: 25, typeMod: -1 },
    { name: 'group', typeOid: 23, typeMod: -1 },
    { name: 'te"xt', typeOid: 25, typeMod: -1 },
    { name: 'flag', typeOid: 16, typeMod: -1 },
  ],
};
const names = layout.columns.map(({ name }) => name);
const whereColumns = ['int4', 'text', 'int4', 'text', 'bool'].map((typeName, index) => ({
  name: names[index] ?? '',
  typeName,
  dimensions: 0,
}));
const KEY = ['part', 'id'];
const decoder = new TextDecoder();

let language: WhereLanguage;

beforeAll(async () => {
  language = await loadWhereLanguage();
});

// --- random shapes

const filters = [
  undefined, '"group" = 1', '"group" IN (1, 2)', '"group" = 2 AND flag', 'flag', 'NOT flag', '"group" > 1', '"te""xt" LIKE \'a%\'',
  '"group" = 1 OR "group" = 3', 'part = \'x/y\' OR "group" IS NULL', '"te""xt" IS DISTINCT FROM \'\'', '"group" = NULL', 'id = 2',
];
const selections = [undefined, ['part', 'id'], ['id', 'part', 'te"xt'], ['id', 'part', 'group', 'flag']];

interface Wish {
  readonly filter: string | undefined;
  readonly selection: readonly string[] | undefined;
  readonly replica: 'default' | 'full';
}

const wishArbitrary: fc.Arbitrary<Wish> = fc.record({
  filter: fc.constantFrom(...filters),
  selection: fc.constantFrom(...selections),
  replica: fc.constantFrom('default', 'full'),
});

interface TestShape {
  readonly definition: ShapeDefinition;
  readonly where: Where | undefined;
}

function shapeOf({ filter, selection, replica }: Wish, primaryKey: readonly string[]): TestShape {
  const where = filter === undefined ? undefined : language.parse(filter, {}, whereColumns);
  invariant(where === undefined || !('error' in where), 'the filters of this test are accepted');
  const columns = names.filter((name) => selection === undefined || selection.includes(name));
  const read = new Set([...columns, ...primaryKey, ...(where?.columns ?? [])]);
  const definition: ShapeDefinition = {
    relation: { oid: layout.oid, schema: layout.schema, name: layout.name },
    columns, selectsAll: selection === undefined, primaryKey, replica, log: 'full',
    reads: layout.columns.filter(({ name }) => primaryKey.length === 0 || read.has(name)),
  };
  return { definition, where };
}

// --- random histories

type Step =
  | { readonly kind: 'insert'; readonly row: Row }
  | { readonly kind: 'update'; readonly pick: number; readonly row: Row; readonly keepsKey: boolean }
  | { readonly kind: 'delete'; readonly pick: number };

const text = fc.constantFrom('', 'a', 'ab/', '//', 'é"\\', '\n\u0001', '\u{1F600}', 'x'.repeat(80));
const rowArbitrary: fc.Arbitrary<Row> = fc.tuple<(string | null)[]>(
  fc.constantFrom('1', '2', '3'),
  fc.constantFrom('x/y', 'x', 'y"'),
  fc.option(fc.constantFrom('1', '2', '3')),
  fc.option(text),
  fc.option(fc.constantFrom('t', 'f')),
);
const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('insert' as const), row: rowArbitrary }),
  fc.record({ kind: fc.constant('update' as const), pick: fc.nat(), row: rowArbitrary, keepsKey: fc.boolean() }),
  fc.record({ kind: fc.constant('delete' as const), pick: fc.nat() }),
);
const historyArbitrary = fc.array(fc.array(stepArbitrary, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 });

/** A table whose rows have keys: what cannot be done is left out, as Postgres would refuse it. */
class Table {
  readonly rows = new Map<string, Row>();
  private readonly identity: readonly number[];

  constructor(primaryKey: readonly string[]) {
    this.identity = (primaryKey.length > 0 ? primaryKey : names).map((name) => names.indexOf(name));
  }

  keyOf(row: Row): string {
    return JSON.stringify(this.identity.map((index) => row[index]));
  }

  apply(step: Step): readonly RowChange[] {
    if (step.kind === 'insert') return this.put(step.row, undefined);
    const held = [...this.rows.values()];
    const old = held[step.pick % Math.max(1, held.length)];
    if (old === undefined) return [];
    if (step.kind === 'update') return this.put(step.keepsKey ? [old[0] ?? null, old[1] ?? null, ...step.row.slice(2)] : step.row, old);
    this.rows.delete(this.keyOf(old));
    return [{ kind: 'delete', old }];
  }

  private put(row: Row, old: Row | undefined): readonly RowChange[] {
    const taken = this.rows.has(this.keyOf(row)) && (old === undefined || this.keyOf(old) !== this.keyOf(row));
    if (taken) return [];
    if (old !== undefined) this.rows.delete(this.keyOf(old));
    this.rows.set(this.keyOf(row), row);
    return [old === undefined ? { kind: 'insert', new: row } : { kind: 'update', old, new: row }];
  }
}

// --- the client

interface Line {
  readonly key: string;
  readonly value: Readonly<Record<string, string | null>>;
  readonly old_value?: Readonly<Record<string, string | null>>;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Folds lines strictly: an insert must be of an absent key, an update or delete of a present one. */
class Client {
  readonly rows = new Map<string, Readonly<Record<string, string | null>>>();
  readonly mistakes: unknown[] = [];

  take(line: Line): void {
    const { key, value, headers, old_value: oldValue = {} } = line;
    const held = this.rows.get(key);
    if ((headers['operation'] === 'insert') === (held !== undefined)) this.mistakes.push(line);
    if (Object.entries(oldValue).some(([name, old]) => held?.[name] !== old || value[name] === old)) this.mistakes.push(line);
    if (headers['operation'] === 'delete') this.rows.delete(key);
    else this.rows.set(key, { ...held, ...value });
  }
}

function textOf(row: Row): (column: string) => string | null {
  return (column) => row[names.indexOf(column)] ?? null;
}

function takes({ where }: TestShape, row: Row): boolean {
  return where === undefined || where.evaluate(textOf(row)) === true;
}

function blockFor(table: Table, history: readonly (readonly Step[])[]): LogBlock {
  return blockOf(
    history.map((steps, index) =>
      transactionOf(
        { xid: index + 1, lsn: String(100 + index) },
        steps.flatMap((step) => table.apply(step)),
      ),
    ),
  );
}

function parsed(bytes: Uint8Array): Line {
  return JSON.parse(decoder.decode(bytes));
}

/** What a client of this shape holds after the block, having begun with a snapshot of `before`. */
function follow(
  shape: TestShape,
  before: readonly Row[],
  block: LogBlock,
  router: ShapeRouter,
  handle: ReturnType<typeof handleOf>,
): Client & { lasts: number[] } {
  const client = Object.assign(new Client(), { lasts: [] as number[] });
  const lines = new ChangeConverter(shape.definition, shape.where, () => layout);
  const columns = shape.definition.primaryKey.length > 0 ? shape.definition.columns : names;
  for (const row of before.filter((candidate) => takes(shape, candidate))) {
    client.take(parsed(lines.snapshotLine(tupleOf(columns.map((name) => textOf(row)(name))))));
  }
  const routed = routeWhole(router, block)[0]?.get(handle) ?? { changes: new Uint32Array() };
  for (const { transaction, changes } of changesByTransaction(block, routed)) {
    const converted = lines.convert(transaction, changes);
    const own = converted.outcome === 'lines' ? Array.from(converted.lines, ({ bytes }) => parsed(bytes)) : [];
    own.forEach((line) => {
      client.take(line);
    });
    if (own.length > 0) client.lasts.push(own.findIndex(({ headers }) => headers['last'] === true) - own.length + 1);
  }
  return client;
}

test.each([
  ['with a primary key', KEY],
  ['without one', []],
])('a client of any shape on a table %s holds what the filter takes', (_, primaryKey) => {
  const property = fc.property(
    fc.array(wishArbitrary, { minLength: 1, maxLength: 5 }),
    historyArbitrary,
    historyArbitrary,
    (wishes, past, present) => {
      const table = new Table(primaryKey);
      blockFor(table, past);
      const before = [...table.rows.values()];
      const block = blockFor(table, present);
      const router = new ShapeRouter(() => layout);
      const shapes = wishes.map((wish) => shapeOf(wish, primaryKey));
      shapes.forEach(({ definition, where }, index) => {
        router.add(handleOf(index), definition, where);
      });
      const clients = shapes.map((shape, index) => follow(shape, before, block, router, handleOf(index)));
      expect(
        clients.map(({ rows, mistakes, lasts }) => ({ rows: sorted([...rows.values()]), mistakes, lasts: new Set([...lasts, 0]) })),
      ).toEqual(
        shapes.map((shape) => ({ rows: sorted(expectedRows(shape, [...table.rows.values()])), mistakes: [], lasts: new Set([0]) })),
      );
    },
  );
  fc.assert(property, { numRuns: 300 });
});

function expectedRows(shape: TestShape, rows: readonly Row[]): readonly object[] {
  return rows
    .filter((row) => takes(shape, row))
    .map((row) => Object.fromEntries(shape.definition.columns.map((name) => [name, textOf(row)(name)])));
}

function sorted(rows: readonly object[]): readonly string[] {
  return rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort();
}

test('no shape misses a change that its filter takes before or after', () => {
  const property = fc.property(
    fc.array(wishArbitrary, { maxLength: 12 }),
    fc.array(fc.nat(11)),
    historyArbitrary,
    (wishes, removed, history) => {
      const table = new Table(KEY);
      const block = blockFor(table, history);
      const router = new ShapeRouter(() => layout);
      const shapes = wishes.map((wish) => shapeOf(wish, KEY));
      shapes.forEach(({ definition, where }, index) => {
        router.add(handleOf(index), definition, where);
      });
      removed.forEach((index) => {
        router.remove(handleOf(index));
      });
      const [routed = new Map()] = routeWhole(router, block);
      const byForce = shapes.map((shape, index) => (removed.includes(index) ? [] : concerned(shape, block)));
      expect(byForce.map((wanted, index) => missing(wanted, routed.get(handleOf(index))?.changes))).toEqual(shapes.map(() => []));
    },
  );
  fc.assert(property, { numRuns: 300 });
});

/** Places of the changes that a shape must see, found by asking its filter about each tuple. */
function concerned(shape: TestShape, block: LogBlock): readonly string[] {
  const everything = new ShapeRouter(() => layout);
  everything.add(handleOf(0), { ...shape.definition }, undefined);
  const all = routeWhole(everything, block)[0]?.get(handleOf(0)) ?? { changes: new Uint32Array() };
  return [...changesByTransaction(block, all)].flatMap(({ transaction, changes }) =>
    changes
      .filter(({ old, new: current }) =>
        [old, current].some(
          (tuple) =>
            tuple !== undefined &&
            takes(
              shape,
              names.map((_, index) => tuple.text(index)),
            ),
        ),
      )
      .map(({ start }) => `${block.transactions.indexOf(transaction)}:0:${start}`),
  );
}

function missing(wanted: readonly string[], routed: Uint32Array = new Uint32Array()): readonly string[] {
  const given = new Set(Array.from({ length: routed.length / 3 }, (_, index) => routed.subarray(3 * index, 3 * index + 3).join(':')));
  return wanted.filter((place) => !given.has(place));
}
