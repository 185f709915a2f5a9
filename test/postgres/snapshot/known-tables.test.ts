/** Which tables need no look before their rows are asked for. */
import { describe, expect, test } from 'vitest';
import { LSN_ZERO } from '../../../src/model/lsn.ts';
import { parsePgSnapshot } from '../../../src/model/pg-snapshot.ts';
import { RowFormatError } from '../../../src/postgres/encoding/row-encoder.ts';
import { KnownTables } from '../../../src/postgres/snapshot/known-tables.ts';
import type { Looked, ReadTable } from '../../../src/postgres/snapshot/table-look.ts';
import { dataRowOf } from '../../support/postgres/wire-rows.ts';

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

describe('a row of a look', () => {
  const first = ['10:12:11', '0/A0', '0/90', 'r', '4711', 'files', 'places', '[{"name":"id"}]'] as const;
  const rowOf = (texts: readonly (string | null)[]) => {
    const [snapshot = '', insert = '', flush = '', kind = null, oid = null, files = '', places = '', found = '[]'] = texts;
    return {
      snapshot, insert_lsn: insert, flush_lsn: flush, kind, oid: oid === null ? null : Number(oid), files, places,
      columns: JSON.parse(found ?? '[]') as unknown,
    };
  };

  test.each<[string, readonly (string | null)[]]>([
    ['the same once more', first],
    ['another moment', ['10:13:', '0/B123', '0/B123', ...first.slice(3)]],
    ['longer moments', ['1000:1300:1100,1200', 'FF/B1230000', 'FF/B1230000', ...first.slice(3)]],
    ['another kind', [...first.slice(0, 3), 'p', ...first.slice(4)]],
    ['a table that is gone', [...first.slice(0, 3), null, null, '', '', '[]']],
    ['other files', [...first.slice(0, 5), 'elsewhere', ...first.slice(6)]],
    ['other columns', [...first.slice(0, 7), '[{"name":"ID"}]']],
  ])('is read as it is: %s', (_, second) => {
    const tables = new KnownTables();

    const found = [first, second, first, second].map((texts) => {
      const row = dataRowOf(texts);
      const bytes = Buffer.concat([Buffer.from('before'), row, Buffer.from('behind')]);
      return tables.lookRowIn(bytes, 6, 6 + row.length);
    });

    expect(found).toEqual([first, second, first, second].map(rowOf));
  });

  test('has the columns of the last one, as one object, where they are the same', () => {
    const tables = new KnownTables();
    const [row, later] = [dataRowOf(first), dataRowOf(['11:13:', ...first.slice(1)])];

    expect(tables.lookRowIn(later, 0, later.length).columns).toBe(tables.lookRowIn(row, 0, row.length).columns);
  });

  test('that ends too early is none, whatever was read before', () => {
    const tables = new KnownTables();
    const row = dataRowOf(first);
    tables.lookRowIn(row, 0, row.length);

    expect(() => tables.lookRowIn(row, 0, row.length - 1)).toThrow(RowFormatError);
  });
});
