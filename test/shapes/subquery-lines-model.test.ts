/**
 * The lines of shapes with subqueries against a plain model: a table is a map, what subqueries select are sets, and a client that
 * folds tags holds exactly the rows that the filter takes, whichever way they came and went.
 */
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import { Change } from '../../src/model/change.ts';
import { followedColumns } from '../../src/model/followed-columns.ts';
import type { RelationLayout } from '../../src/model/relation.ts';
import type { ShapeDefinition } from '../../src/model/shape.ts';
import { tagHashOf } from '../../src/service/wiring/tag-hash.ts';
import { ChangeConverter } from '../../src/shapes/change-converter.ts';
import { activeConditions } from '../../src/shapes/row-tags.ts';
import { spliceColumns } from '../../src/shapes/row-plan.ts';
import { rowMember, rowParts } from '../../src/sql/subqueries/membership.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { ColumnText, Membership, SubqueryPlan, Where, WhereLanguage } from '../../src/sql/where.ts';
import { transactionOf, tupleOf, type Row, type RowChange } from '../support/actors/changes.ts';
import { handleOf, shapeOf } from '../support/shapes.ts';
import { moveOf, rowMoveOf } from '../support/shapes/member-move.ts';
import { movedLine, movedLines } from '../support/shapes/moved-lines.ts';
import { membersOf, membersOfRows, membersOfRowValues } from '../support/shapes/subquery-filter.ts';
import { TagFoldingClient } from '../support/shapes/tag-folding-client.ts';

const layout: RelationLayout = {
  id: 1,
  oid: 4711,
  schema: 'public',
  name: 'children',
  columns: [
    { name: 'id', typeOid: 23, typeMod: -1 },
    { name: 'parent', typeOid: 1700, typeMod: -1 },
    { name: 'group', typeOid: 25, typeMod: -1 },
    { name: 'flag', typeOid: 16, typeMod: -1 },
    { name: 'note', typeOid: 25, typeMod: -1 },
  ],
};
const names = layout.columns.map(({ name }) => name);
const whereColumns = ['int4', 'numeric', 'text', 'bool', 'text'].map((typeName, index) => ({
  name: names[index] ?? '',
  typeName,
  dimensions: 0,
}));
const COLUMN_OF = {
  parents: { name: 'id', typeName: 'numeric' },
  groups: { name: 'name', typeName: 'text' },
  flags: { name: 'flag', typeName: 'bool' },
  pairs: { name: 'id', typeName: 'numeric' },
} as const;
type TableName = keyof typeof COLUMN_OF;
/** Of pairs the members are row values. */
type Selected = Readonly<Record<TableName, readonly (string | null)[]>>;

let language: WhereLanguage;

beforeAll(async () => {
  language = await loadWhereLanguage();
});

// --- random shapes

const P = 'parent IN (SELECT id FROM parents WHERE active)';
const F = 'flag IN (SELECT flag FROM flags)';
const G = '"group" IN (SELECT name FROM groups)';
const R = '(parent, "group") IN (SELECT id, name FROM pairs)';
const filters = [
  P, G, `${P} AND flag`, `${P} OR flag`, `${P} AND ${G}`, `${P} OR ${G}`, `${P} AND NOT (flag AND note = 'a')`, `(${P} OR flag) AND ${G}`,
  `(${P} AND flag) OR (${G} AND NOT flag)`, `flag AND (${P} OR ${G} OR note LIKE 'a%')`, `(${P} OR note = 'a') AND (${G} OR ${P})`,
  F, `${F} OR ${P}`,
  `NOT ${P}`, `NOT ${P} AND flag`, `NOT ${P} OR flag`, `NOT (${P} AND ${G})`, `NOT (${P} OR ${G})`, `${P} OR NOT ${P}`,
  `(${P} AND flag) OR (NOT ${P} AND note = 'a')`, `(${P} OR flag) AND (NOT ${P} OR ${G})`, `NOT (${P} AND flag) OR NOT ${G}`,
  R, `NOT ${R}`, `NOT (${R} AND flag)`, `${R} OR NOT ${R}`, `${R} AND ${P}`, `NOT (${R} OR ${G})`, `(${R} OR flag) AND NOT ${P}`,
  `(${R}) IS NOT TRUE`, `(${R}) IS NOT FALSE`, `(${R}) IS NULL OR flag`,
  `("group", parent) NOT IN (SELECT name, id FROM pairs) AND NOT ${R}`,
  'parent::text IN (SELECT name FROM groups)', `lower("group") NOT IN (SELECT name FROM groups) OR ${R}`,
  `(parent) IS NOT NULL AND NOT (parent::text, note) IN (SELECT id::text, name FROM pairs)`,
  `(${P}) IS NOT TRUE`, `(${P}) IS NOT FALSE AND ${G}`, `(${P}) IS NULL`, `(${P}) IS NOT NULL OR ${G}`, `(${P} OR ${G}) IS FALSE`,
];

interface Wish {
  readonly filter: string;
  readonly columns: readonly string[];
  readonly replica: 'default' | 'full';
  readonly primaryKey?: readonly string[];
}

const wishes: fc.Arbitrary<Wish> = fc.record({
  filter: fc.constantFrom(...filters),
  columns: fc.constantFrom(names, ['id'], ['id', 'note'], ['id', 'parent', 'flag']),
  replica: fc.constantFrom('default', 'full'),
});

interface TestShape {
  readonly definition: ShapeDefinition;
  readonly where: Where;
  readonly plan: SubqueryPlan;
  readonly converter: ChangeConverter;
}

function testShape({ filter, columns, replica, primaryKey = ['id'] }: Wish, moveOuts?: 'deletes'): TestShape {
  const tables = ({ name }: { name: string }) => {
    const others = { active: 'bool', ...(name === 'pairs' ? { name: 'text' } : {}) };
    const more = Object.entries(others).map(([column, typeName]) => ({ name: column, typeName, dimensions: 0 }));
    return isTable(name) ? [{ ...COLUMN_OF[name], dimensions: 0 }, ...more] : undefined;
  };
  const where = language.parse(filter, {}, whereColumns, tables);
  invariant(!('error' in where) && where.subqueries !== undefined, 'the filters of this test are accepted');
  const read = new Set(primaryKey.length === 0 ? names : [...columns, ...primaryKey, ...where.columns]);
  const definition: ShapeDefinition = {
    ...shapeOf({ columns, replica, primaryKey }, layout),
    reads: layout.columns.filter(({ name }) => read.has(name)),
    dependencies: where.subqueries.sources.map(({ column }) => ({ shape: shapeOf({}), column })),
    ...(moveOuts === undefined ? {} : { moveOuts }),
  };
  const converter = new ChangeConverter(definition, where, () => layout, undefined, tagHashOf(handleOf(1)));
  return { definition, where, plan: where.subqueries, converter };
}

function bySubquery({ plan }: TestShape, selected: Selected): readonly (readonly (string | null)[])[] {
  return plan.sources.map(({ table, column }) => {
    if (!isTable(table.name)) return [];
    const members = selected[table.name];
    if (table.name !== 'pairs') return members;
    const places = followedColumns(column).map(({ name }) => (name === 'id' ? 0 : 1));
    return members.map((member) => rowMember(places.map((place) => rowParts(member ?? '[]')[place] ?? null)));
  });
}

function isOfRows({ plan }: TestShape, number: number): boolean {
  return plan.sources[number]?.table.name === 'pairs';
}

function known(members: readonly (string | null)[]): readonly string[] {
  return members.flatMap((member) => member ?? []);
}

function isTable(name: string): name is TableName {
  return name in COLUMN_OF;
}

function membershipOf(shape: TestShape, selected: Selected): Membership {
  return membersOf(...bySubquery(shape, selected).map((members, number) => {
    return isOfRows(shape, number) ? membersOfRowValues(known(members)) : membersOfRows(members);
  }));
}

// --- random histories

type RowStep =
  | { readonly kind: 'put'; readonly row: Row }
  | { readonly kind: 'rekey'; readonly from: string; readonly row: Row }
  | { readonly kind: 'delete'; readonly id: string };
type Step = { readonly rows: readonly RowStep[] } | { readonly select: Selected };

const id = fc.constantFrom('1', '2', '3', '4');
const rowArbitrary: fc.Arbitrary<Row> = fc.tuple<(string | null)[]>(
  id,
  fc.option(fc.constantFrom('1', '1.0', '1.00', '2', '30.50'), { freq: 8 }),
  fc.option(fc.constantFrom('', 'a/b', 'é"\\', 'NULL'), { freq: 8 }),
  fc.option(fc.constantFrom('t', 'f'), { freq: 8 }),
  fc.option(fc.constantFrom('a', 'b')),
);
const selection = (...values: readonly string[]) =>
  fc.tuple(fc.subarray([...values]), fc.integer({ min: 0, max: 3 })).map(([some, place]) => (place === 0 ? [...some, null] : some));
const selectedArbitrary: fc.Arbitrary<Selected> = fc.record({
  parents: selection('1', '2', '30.5'),
  groups: selection('', 'a/b', 'é"\\', 'NULL', '1.0'),
  flags: selection('t', 'f'),
  pairs: fc.subarray(['1', '2', null].flatMap((of) => ['', 'a/b', null].map((name) => rowMember([of, name])))),
});
const rowStep: fc.Arbitrary<RowStep> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('put' as const), row: rowArbitrary }) },
  fc.record({ kind: fc.constant('rekey' as const), from: id, row: rowArbitrary }),
  fc.record({ kind: fc.constant('delete' as const), id }),
);
const historyArbitrary: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ rows: fc.array(rowStep, { minLength: 1, maxLength: 6 }) }),
    fc.record({ select: selectedArbitrary }),
  ),
  { maxLength: 10 },
);

/** What cannot be done is left out, as Postgres would refuse it. */
class Children {
  readonly rows = new Map<string, Row>();

  apply(step: RowStep): readonly RowChange[] {
    if (step.kind === 'delete') return this.remove(step.id);
    const to = step.row[0] ?? '';
    const old = this.rows.get(step.kind === 'put' ? to : step.from);
    if (step.kind === 'rekey' && (old === undefined || (step.from !== to && this.rows.has(to)))) return [];
    if (step.kind === 'rekey') this.rows.delete(step.from);
    this.rows.set(to, step.row);
    return [old === undefined ? { kind: 'insert', new: step.row } : { kind: 'update', old, new: step.row }];
  }

  private remove(at: string): readonly RowChange[] {
    const old = this.rows.get(at);
    this.rows.delete(at);
    return old === undefined ? [] : [{ kind: 'delete', old }];
  }
}

function textOf(row: Row): ColumnText {
  return (column) => row[names.indexOf(column)] ?? null;
}

/** As a query gives it: a boolean has another text there. */
function queried({ definition }: TestShape, row: Row): Row {
  const written: Readonly<Record<string, string>> = { t: 'true', f: 'false' };
  return spliceColumns(definition).map(({ name, typeOid }) => {
    const text = textOf(row)(name);
    return typeOid === 16 && text !== null ? (written[text] ?? text) : text;
  });
}

// --- what the service tells

function streamed({ converter }: TestShape, rows: readonly RowChange[], isMember: Membership): readonly Uint8Array[] {
  const transaction = transactionOf({ xid: 7, lsn: '100' }, rows);
  const changes: Change[] = [];
  const [fragment = new Uint8Array()] = transaction.fragments;
  for (let at = 0; at < fragment.length; at = changes.at(-1)?.end ?? 0) changes.push(new Change(fragment, at));
  const converted = converter.convert(transaction, changes, undefined, isMember);
  return converted.outcome === 'lines' ? Array.from(converted.lines, ({ bytes }) => bytes.slice()) : [];
}

function spliced(shape: TestShape, rows: Iterable<Row>, before: Selected, after: Selected): readonly Uint8Array[] {
  const { converter } = shape;
  const [isBefore, isAfter] = [membershipOf(shape, before), membershipOf(shape, after)];
  const to = bySubquery(shape, after);
  const moves = bySubquery(shape, before).map((values, number) => {
    const behind = to[number] ?? [];
    return isOfRows(shape, number) ? rowMoveOf(values, behind) : moveOf(values, behind);
  });
  const teller = converter.tellerOf(moves);
  const queriedRows = [...rows].map((row) => tupleOf(queried(shape, row)));
  const movedRows = movedLines(converter, queriedRows, { before: isBefore, after: isAfter }, teller);
  const [movesIn, movesOut] = (['move-in', 'move-out'] as const).map((event) => converter.moveEvent(event, moves, 0));
  return [movesIn, ...movedRows, movesOut].filter((line) => line !== undefined);
}

function snapshotOf(shape: TestShape, rows: Iterable<Row>, isMember: Membership): readonly Uint8Array[] {
  return [...rows]
    .filter((row) => shape.where.evaluate(textOf(row), isMember) === true)
    .map((row) => shape.converter.snapshotLine(tupleOf(queried(shape, row)), isMember));
}

// --- what a client must hold

function expectedRows(shape: TestShape, children: Children, isMember: Membership): readonly string[] {
  const taken = [...children.rows.values()].filter((row) => shape.where.evaluate(textOf(row), isMember) === true);
  const isMarked = shape.definition.moveOuts !== 'deletes';
  return taken.map((row) => {
    const values = Object.fromEntries(shape.definition.columns.map((name) => [name, textOf(row)(name)]));
    return JSON.stringify({ values, active: isMarked ? activeConditions(shape.plan, textOf(row), isMember) : [] });
  }).sort();
}

function heldRows({ held }: TagFoldingClient, { definition }: TestShape): readonly string[] {
  return [...held.values()].map(({ values, active }) => {
    const texts = definition.columns.map((name) => [name, name === 'flag' ? (values[name]?.charAt(0) ?? null) : (values[name] ?? null)]);
    return JSON.stringify({ values: Object.fromEntries(texts), active });
  }).sort();
}

test.each([
  ['told by events', undefined],
  ['told as deletes', 'deletes'],
] as const)('a client of any shape holds what the filter takes after each step, with moves %s', (_, moveOuts) => {
  const property = fc.property(wishes, selectedArbitrary, fc.array(rowStep), historyArbitrary, (wish, first, past, history) => {
    const shape = testShape(wish, moveOuts);
    const children = new Children();
    const client = new TagFoldingClient();
    const take = (lines: readonly Uint8Array[]): void => lines.forEach((line) => client.take(JSON.parse(Buffer.from(line).toString())));
    past.forEach((step) => children.apply(step));
    take(snapshotOf(shape, children.rows.values(), membershipOf(shape, first)));
    let selected = first;
    for (const step of history) {
      if ('select' in step) {
        take(spliced(shape, children.rows.values(), selected, step.select));
        selected = step.select;
      } else take(streamed(shape, step.rows.flatMap((row) => children.apply(row)), membershipOf(shape, selected)));

      expect({ held: heldRows(client, shape), mistakes: client.mistakes }).toEqual({
        held: expectedRows(shape, children, membershipOf(shape, selected)),
        mistakes: [],
      });
    }
  });
  fc.assert(property, { numRuns: 500 });
});

/** Whole texts, booleans, several columns, and all of a table that has no key. */
const primaryKeys = fc.constantFrom<readonly string[]>(['id'], ['flag', 'id'], ['group', 'parent', 'id'], []);

test('a row has the same bytes of key, tags and conditions on every path', () => {
  const property = fc.property(wishes, primaryKeys, rowArbitrary, selectedArbitrary, (wish, primaryKey, row, selected) => {
    const shape = testShape({ ...wish, primaryKey });
    const isMember = membershipOf(shape, selected);
    fc.pre(shape.where.evaluate(textOf(row), isMember) === true);
    const tuple = tupleOf(queried(shape, row));
    const before = row.map((text, index) => (names[index] === 'note' ? `not ${text}` : text));
    const changes: readonly RowChange[] = [
      { kind: 'insert', new: row }, { kind: 'delete', old: row }, { kind: 'update', old: before, new: row },
    ];
    const stream = changes.flatMap((change) => streamed(shape, [change], isMember).slice(-1));

    const moved = movedLine(shape.converter, tuple, { before: membersOf(), after: isMember }, 'events');
    const entered = moved ?? shape.converter.snapshotLine(tuple, isMember);
    const queries = [shape.converter.snapshotLine(tuple, isMember), entered];
    const [expected, ...others] = [...queries, ...stream].map(keyAndMarks);
    expect(others).toEqual(others.map(() => expected));
  });
  fc.assert(property, { numRuns: 500 });
});

/** The bytes up to the value, and those of tags and conditions: inside a text none of these could stand without a backslash. */
function keyAndMarks(line: Uint8Array): readonly (string | undefined)[] {
  const text = Buffer.from(line).toString();
  return [/^\{"key":"(?:[^"\\]|\\.)*"/, /"tags":\["[^\]]*\]/, /"active_conditions":\[[^\]]*\]/].map((part) => part.exec(text)?.[0]);
}
