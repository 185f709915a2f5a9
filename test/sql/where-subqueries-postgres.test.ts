/** Filters with subqueries against Postgres itself: what it takes with its own subqueries, we take with the values that these select. */
import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import { MemberForm } from '../../src/actors/member-form.ts';
import { followedColumns, isByParts } from '../../src/model/followed-columns.ts';
import { askedKeys } from '../../src/shapes/member-moves.ts';
import { equalTextAs } from '../../src/sql/values/equal-text.ts';
import { ArrayLiteral } from '../../src/sql/values/array-literal.ts';
import { isMark, truthOfIn } from '../../src/sql/subqueries/membership.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type {
  ColumnText, Membership, QueryWithMembers, Selected, SubqueryPlan, SubquerySource, Where, WhereLanguage,
} from '../../src/sql/where.ts';
import { isLookedUp } from '../support/looked-up.ts';
import { asText, DISPLAY_SETTINGS } from '../support/postgres/display-settings.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { moveOf, rowMoveOf } from '../support/shapes/member-move.ts';
import { membersOf, membersOfRows, membersOfRowValues } from '../support/shapes/subquery-filter.ts';
import {
  createParents,
  createSamples,
  rowArbitrary,
  sampleColumns,
  samples,
  whereWithSubqueries,
  type Written,
} from '../support/where-expressions.ts';

type Texts = Readonly<Record<string, string | null>>;

let database: TestDatabase;
let session: pg.Client;
let language: WhereLanguage;

beforeAll(async () => {
  database = await createDatabase();
  session = await database.session();
  language = await loadWhereLanguage();
  await session.query(DISPLAY_SETTINGS);
  for (const [table, create, count, seed] of [['samples', createSamples, 60, 1], ['parents', createParents, 6, 2]] as const) {
    await session.query(create);
    const places = samples.map((_, index) => `$${index + 2}`).join(', ');
    const rows = fc.sample(rowArbitrary, { numRuns: count, seed });
    for (const [id, row] of rows.entries()) await session.query(`INSERT INTO ${table} VALUES ($1, ${places})`, [id, ...row]);
  }
});

afterAll(async () => {
  await database.drop();
});

async function textsOf(sql: string, params: QueryWithMembers['params'] = []): Promise<readonly Texts[]> {
  const { rows } = await session.query<Texts>({ text: sql, values: params.map(paramText), types: asText });
  return rows;
}

function paramText(param: QueryWithMembers['params'][number]): string | null {
  return param === null ? null : String(param);
}

function accepted(text: string, params: readonly string[]): Where {
  const byNumber = Object.fromEntries(params.map((value, index) => [index + 1, value]));
  const where = language.parse(text, byNumber, sampleColumns, () => sampleColumns, {}, { schema: 'public', name: 'samples' });
  invariant(!('error' in where), `the language accepts ${text}`);
  return where;
}

/** What a subquery selects, each value once, NULL among them, by the filter that was cut out for it. */
async function selectedBy(source: SubquerySource, params: readonly string[]): Promise<readonly (string | null)[]> {
  const { sql, params: values } = source.where === undefined ? { sql: 'true', params: [] } : accepted(source.where, params).query;
  const selected = followedColumns(source.column).map(({ name }, at) => `${name} AS v${at}`);
  const rows = await textsOf(`SELECT DISTINCT ${selected.join()} FROM parents WHERE ${sql}`, values);
  const form = formOf(source);
  const texts = rows.map((row) => {
    const told = selected.map((_, at) => row[`v${at}`]);
    return form.textOf(told.length === 1 ? told[0] : told, () => null) ?? null;
  });
  return [...new Map(texts.map((text) => [memberOf(form, text), text])).values()];
}

function formOf({ column }: SubquerySource): MemberForm {
  return new MemberForm(followedColumns(column).map(({ name, casts }) => equalTextAs(typeOf(name), casts)), isByParts(column));
}

function memberOf(form: MemberForm, text: string | null): string | null {
  return text === null ? null : form.valueOf(text);
}

function typeOf(column: string): string {
  return samples.find((sample) => sample.column === column)?.type ?? '';
}

function membership({ sources }: SubqueryPlan, selected: Selected): Membership {
  return membersOf(...sources.map((source, number) => {
    const form = formOf(source);
    const members = (selected[number] ?? []).map((text) => memberOf(form, text));
    return form.width === 1 ? membersOfRows(members) : membersOfRowValues(members.flatMap((member) => member ?? []));
  }));
}

/** By the terms alone. */
function isTaken({ disjuncts }: SubqueryPlan, text: ColumnText, isMember: Membership): boolean {
  return disjuncts.some((terms) =>
    terms.every((term) => {
      if (term.kind === 'plain') return term.evaluate(text) === true;
      return term.truths.has(truthOfIn(isMember, term.subquery, term.left(text)));
    }),
  );
}

/** What is asked about what changed, by who has to tell of each row. */
function moved(plan: SubqueryPlan, before: Selected, after: Selected): QueryWithMembers {
  const moves = plan.sources.map((source, number) => {
    const form = formOf(source);
    const membersIn = (selected: Selected) => (selected[number] ?? []).map((text) => ({ text, value: memberOf(form, text) }));
    const [was, is] = [membersIn(before), membersIn(after)];
    const texts = new Map([...was, ...is].map(({ value, text }) => [value, text]));
    const textOf = (value: string): string => texts.get(value) ?? value;
    const [from, to] = [was.map(({ value }) => value), is.map(({ value }) => value)];
    return form.width === 1 ? moveOf(from, to, [7], textOf) : rowMoveOf(from, to, textOf);
  });
  const asked = askedKeys(plan, moves, 'rows');
  return asked === 'any' ? plan.queryAll() : plan.queryMoved(asked);
}

async function idsOf({ sql, params }: QueryWithMembers): Promise<readonly (string | null | undefined)[]> {
  const rows = await textsOf(`SELECT id FROM samples WHERE ${sql} ORDER BY id`, params);
  return rows.map(({ id }) => id);
}

/** @param share of what is selected that is not before the move; or, by `goes`, behind it. */
async function held({ text, params, literal }: Written, share: number, goes: boolean): Promise<void> {
  const where = accepted(text, params);
  const { subqueries: plan } = where;
  invariant(plan !== undefined, 'the filter has a subquery');
  const rows = await textsOf(`SELECT *, (${literal}) AS truth FROM samples ORDER BY id`);
  const expected = rows.filter(({ truth }) => truth === 't').map(({ id }) => id);
  const selected: (readonly (string | null)[])[] = [];
  for (const source of plan.sources) selected.push(await selectedBy(source, params));
  const fewer = selected.map((each) => each.filter((_, index) => index % 4 >= share));
  const [isMember, isMemberOfFewer] = [membership(plan, selected), membership(plan, fewer)];
  const takes = (row: Texts, by: Membership): boolean => where.evaluate((column) => row[column] ?? null, by) === true;
  const asked = new Set(await idsOf(goes ? moved(plan, selected, fewer) : moved(plan, fewer, selected)));
  const taken = await idsOf(plan.queryWith(fewer));
  const takenByAny = rows.filter((row) => takes(row, isMember) || takes(row, isMemberOfFewer));
  const mayBeMember: Membership = (subquery, member) => !isMark(member) && isMember(subquery, member);
  const possible = new Set(await idsOf(plan.queryAll()));
  expect({
    evaluated: rows.filter((row) => takes(row, isMember)).map(({ id }) => id),
    byTerms: rows.filter((row) => isTaken(plan, (column) => row[column] ?? null, isMember)).map(({ id }) => id),
    selected: await idsOf(plan.queryWith(selected)),
    evaluatedBefore: rows.filter((row) => takes(row, isMemberOfFewer)).map(({ id }) => id),
    byTermsBefore: rows.filter((row) => isTaken(plan, (column) => row[column] ?? null, isMemberOfFewer)).map(({ id }) => id),
    notFound: takenByAny.filter((row) => !isLookedUp(where.lookups, (column) => row[column] ?? null, mayBeMember)),
    notRouted: takenByAny.filter((row) => plan.mayTake((column) => row[column] ?? null, mayBeMember) !== true),
    movedUnasked: rows.filter((row) => takes(row, isMember) !== takes(row, isMemberOfFewer) && !asked.has(row['id'])),
    impossible: takenByAny.filter(({ id }) => !possible.has(id)),
  }).toEqual({
    evaluated: expected,
    byTerms: expected,
    selected: expected,
    evaluatedBefore: taken,
    byTermsBefore: taken,
    notFound: [],
    notRouted: [],
    movedUnasked: [],
    impossible: [],
  });
}

test('a filter takes what Postgres takes: evaluated, by its terms and as a query; and a move is asked for whole', async () => {
  await fc.assert(fc.asyncProperty(whereWithSubqueries, fc.integer({ min: 0, max: 4 }), fc.boolean(), held), { numRuns: 600 });
});

test('an array is to Postgres the values that it was made of', async () => {
  const signs = fc.constantFrom('', 'NULL', 'null', '{}', '{a,b}', '"', '\\', ' a ', ',', '\n', "'", '\\"', '\u{1F600}');
  const text = fc.oneof(signs, fc.string({ unit: 'grapheme' })).filter((value) => !value.includes('\0'));
  const property = fc.asyncProperty(fc.array(fc.option(text)), async (values) => {
    const rows = await textsOf('SELECT unnest($1::text[]) AS value', [new ArrayLiteral(values)]);
    expect(rows.map(({ value }) => value)).toEqual(values);
  });
  await fc.assert(property, { numRuns: 300 });
});
