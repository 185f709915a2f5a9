/** Which tables need no look before their rows are asked for. */
import { expect, test } from 'vitest';
import { LSN_ZERO } from '../../../src/model/lsn.ts';
import { parsePgSnapshot } from '../../../src/model/pg-snapshot.ts';
import { KnownTables } from '../../../src/postgres/snapshot/known-tables.ts';
import type { Looked, ReadTable } from '../../../src/postgres/snapshot/table-look.ts';

const TABLES_MAX = 1_000;
const columns: Looked['columns'] = [];
const pgSnapshot = parsePgSnapshot('1:1:', LSN_ZERO);

function looked(number: number): Looked {
  const name = `"public"."t${number}"`;
  return { oid: number, name, isPartitioned: false, isBoolean: [], pgSnapshot, isFlushed: true, places: '', columns };
}

function table(number: number): ReadTable {
  return { relation: { schema: 'public', name: `t${number}` }, accepts: () => true, columns: [], where: undefined };
}

test('of too many tables, the one that was looked at longest ago is forgotten', () => {
  const tables = new KnownTables();
  for (let number = 0; number < TABLES_MAX; number += 1) tables.note(looked(number));
  tables.note(looked(0));
  tables.note(looked(TABLES_MAX));

  const known = [0, 1, 2, TABLES_MAX].map((number) => tables.sightOf(table(number))?.oid);

  expect(known).toEqual([0, undefined, 2, TABLES_MAX]);
});

test('what the catalogue says of columns is read once, and of too many texts the oldest is forgotten', () => {
  const tables = new KnownTables();
  const texts = Array.from({ length: TABLES_MAX + 1 }, (_, number) => `[{"name":"c${number}"}]`);
  const [first = '', last = ''] = [texts[0], texts.at(-1)];

  const [before, again] = [tables.columnsIn(first), tables.columnsIn(first)];
  for (const text of texts) tables.columnsIn(text);
  const lastBefore = tables.columnsIn(last);

  const later = [tables.columnsIn(last) === lastBefore, tables.columnsIn(first) === before];
  expect({ before, isSame: again === before, later }).toEqual({ before: [{ name: 'c0' }], isSame: true, later: [true, false] });
});
