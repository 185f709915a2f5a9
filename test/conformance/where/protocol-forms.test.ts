/** Nothing that the protocol lists of its WHERE language is refused, neither of a shape nor of a subset; and each form is what it is in Postgres. */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadWhereLanguage } from '../../../src/sql/where-language.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { asText, DISPLAY_SETTINGS } from '../../support/postgres/display-settings.ts';
import { timeZonesOf, zonedParse, type ZonedParse } from '../../support/zoned-language.ts';
import { createProtocolRow, PROTOCOL_FORMS, protocolColumns, protocolText } from './protocol-forms.ts';

const VERDICT = { name: 'verdict', typeName: 'text', dimensions: 0 };

let database: TestDatabase;
let session: pg.Client;
let parse: ZonedParse;

beforeAll(async () => {
  database = await createDatabase();
  session = await database.session();
  await session.query(`${DISPLAY_SETTINGS}; ${createProtocolRow}`);
  parse = zonedParse(await loadWhereLanguage(), timeZonesOf(database));
});

afterAll(async () => {
  await database.drop();
});

async function verdictOf(form: string): Promise<string | null> {
  try {
    const { rows } = await session.query<{ verdict: string | null }>({ text: `SELECT (${form})::text AS verdict FROM protocol_row`, types: asText });
    return rows[0]?.verdict ?? null;
  } catch (error) { return 'PGERR ' + (error as Error).message; }
}

test('a shape', async () => {
  const unlike: unknown[] = [];
  for (const form of PROTOCOL_FORMS) {
    const verdict = await verdictOf(form);
    const where = await parse(`(${form})::text IS NOT DISTINCT FROM verdict`, [...protocolColumns, VERDICT]);
    if ('error' in where || (verdict ?? '').startsWith('PGERR')) { unlike.push([form, 'error' in where ? where.error : 'taken', verdict]); continue; }
    let ours: unknown;
    try { ours = where.evaluate((column) => (column === 'verdict' ? verdict : protocolText(column))); } catch (e) { ours = (e as Error).message; }
    if (ours !== true) unlike.push([form, ours, verdict]);
  }
  console.log(PROTOCOL_FORMS.length, unlike.map((u) => JSON.stringify(u)).join('\n'));
  expect(unlike).toEqual([]);
}, 60000);
