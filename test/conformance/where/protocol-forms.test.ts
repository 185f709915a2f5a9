/**
 * Nothing that the protocol lists is refused, of a shape or of a subset, with literals or with parameters; and each form is what it is
 * in Postgres.
 */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EvaluationError } from '../../../src/sql/evaluation-error.ts';
import { loadWhereLanguage } from '../../../src/sql/where-language.ts';
import type { SubsetLanguage } from '../../../src/sql/subset.ts';
import type { Where, WhereError, WhereQuery } from '../../../src/sql/where.ts';
import { asText, DISPLAY_SETTINGS } from '../../support/postgres/display-settings.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { timeZonesOf, zonedParse, zonedReader, type ZonedParse } from '../../support/zoned-language.ts';
import { createProtocolRow, PROTOCOL_FORMS, protocolColumns, protocolText } from './protocol-forms.ts';
import { C } from './things.ts';

interface Form {
  readonly form: string;
  /** In Postgres; null for NULL. */
  readonly text: string | null;
}

const VERDICT = { name: 'verdict', typeName: 'text', dimensions: 0, collation: C };
const COLUMNS = [...protocolColumns, VERDICT];
/** Postgres gives that many columns at once. */
const BATCH = 500;
const forms: Form[] = [];

let database: TestDatabase;
let session: pg.Client;
let language: SubsetLanguage;
let parse: ZonedParse;

beforeAll(async () => {
  database = await createDatabase();
  session = await database.session();
  await session.query(`${DISPLAY_SETTINGS}; ${createProtocolRow}`);
  const loaded = await loadWhereLanguage();
  language = loaded;
  parse = zonedParse(loaded, timeZonesOf(database));
  for (let at = 0; at < PROTOCOL_FORMS.length; at += BATCH) forms.push(...(await judged(PROTOCOL_FORMS.slice(at, at + BATCH))));
});

afterAll(async () => {
  await database.drop();
});

async function judged(written: readonly string[]): Promise<readonly Form[]> {
  const { rows } = await session.query<[...(string | null)[]]>({
    text: `SELECT ${written.map((form) => `(${form})::text`).join(', ')} FROM protocol_row`, types: asText, rowMode: 'array',
  });
  return written.map((form, at) => ({ form, text: rows[0]?.[at] ?? null }));
}

function comparedWith({ form }: Form): string {
  return `(${form})::text IS NOT DISTINCT FROM verdict`;
}

/** Whether it is the text that Postgres gives, or why that is not told. */
function answerOf(where: Where | WhereError, { text }: Form): unknown {
  if ('error' in where) return where.error;
  try {
    return where.evaluate((column) => (column === 'verdict' ? text : protocolText(column)));
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return error.message;
  }
}

async function isTaken({ sql, params }: WhereQuery, { text }: Form): Promise<boolean> {
  const from = `(SELECT *, $${params.length + 1}::text COLLATE "C" AS verdict FROM protocol_row) AS row`;
  const { rowCount } = await session.query(`SELECT FROM ${from} WHERE ${sql}`, [...params, text]);
  return rowCount === 1;
}

/** Each that is not what it is in Postgres, with what it is instead. */
async function unlike(answer: (form: Form) => Promise<unknown>): Promise<readonly object[]> {
  const answers: object[] = [];
  for (const form of forms) {
    const answered = await answer(form);
    if (answered !== true) answers.push({ ...form, answered });
  }
  return answers;
}

test('each form is taken, and has the value that it has in Postgres', async () => {
  expect(await unlike(async (form) => answerOf(await parse(comparedWith(form), COLUMNS), form))).toEqual([]);
});

test('each form may have parameters for its literals', async () => {
  expect(await unlike(async (form) => {
    const literals: string[] = [];
    const text = comparedWith(form).replaceAll(/'([^']*)'/g, (_, literal: string) => `$${literals.push(literal)}`);
    const params = Object.fromEntries(literals.map((literal, at) => [at + 1, literal]));
    return answerOf(await parse(text, COLUMNS, params), form);
  })).toEqual([]);
});

test('each form is taken as the filter of a subset, and Postgres takes the row by what is printed of it', async () => {
  const read = zonedReader(timeZonesOf(database));
  expect(await unlike(async (form) => {
    const filter = await read((zones) => language.parseFilter(comparedWith(form), {}, COLUMNS, { collation: C, zones }));
    return 'error' in filter ? filter.error : isTaken(filter.queryBehind(0), form);
  })).toEqual([]);
});
