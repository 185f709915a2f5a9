/** A row of a snapshot becomes the same line whether somebody looks at it or not. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { invariant } from '../../../src/base/invariant.ts';
import { Change } from '../../../src/model/change.ts';
import { joinedLines } from '../../../src/model/joined-lines.ts';
import type { RelationLayout } from '../../../src/model/relation.ts';
import { LineEncoder } from '../../../src/postgres/encoding/line-encoder.ts';
import type { RowEncoder } from '../../../src/postgres/encoding/row-encoder.ts';
import { RowWriter } from '../../../src/postgres/encoding/row-writer.ts';
import { ChangeConverter } from '../../../src/shapes/change-converter.ts';
import { snapshotColumns } from '../../../src/shapes/row-plan.ts';
import type { Row } from '../../support/actors/changes.ts';
import { copyLineOf, dataRowOf } from '../../support/postgres/wire-rows.ts';
import { itemsLayout, shapeOf } from '../../support/shapes.ts';

const BOOL_OID = 16;
const NAMES = ['id', 'two "quoted"', 'flag', 'päth', 'long'] as const;

const unit = fc.oneof(
  fc.constantFrom('a', 'bcde', '/', '//', '"', '\\', '\\N', 'é', '😀'),
  fc.constantFrom('\n', '\t', '\r', '\b', '\f', '\v', '\u0001', '\u001f', '\u007f'),
);
const text = fc.oneof(
  fc.constantFrom('', '1', 'null', '\\N', '/'),
  fc.array(unit, { maxLength: 12 }).map((units) => units.join('')),
  fc.string({ minLength: 60, maxLength: 200, unit: 'binary' }).map((any) => any.replaceAll('\0', '')),
);
const table = fc.record({
  /** Of the columns: which are there, and which of them are boolean. */
  columns: fc.subarray([...NAMES], { minLength: 1 }),
  booleans: fc.subarray([...NAMES]),
  /** Which are selected, and which are the key, in its order. */
  selected: fc.subarray([...NAMES]),
  primaryKey: fc.shuffledSubarray([...NAMES]),
});
const row = fc.array(fc.option(text, { freq: 5 }), { minLength: NAMES.length, maxLength: NAMES.length });
const rows = fc.array(row, { minLength: 1, maxLength: 8 });

test('a line is the same by a template and by a look at its row, of COPY and of a portal', () => {
  fc.assert(
    fc.property(table, rows, ({ columns, booleans, selected, primaryKey }, values) => {
      const layoutColumns = columns.map((name) => ({ name, typeOid: booleans.includes(name) ? BOOL_OID : 25, typeMod: -1 }));
      const layout: RelationLayout = { ...itemsLayout, columns: layoutColumns };
      const isThere = (name: string): boolean => columns.some((column) => column === name);
      const wanted = columns.filter((name) => selected.includes(name) || primaryKey.includes(name));
      const definition = shapeOf({ columns: wanted.length === 0 ? columns : wanted, primaryKey: primaryKey.filter(isThere) }, layout);
      const converter = new ChangeConverter(definition, undefined, () => layout);
      const asked = snapshotColumns(definition);
      const isBoolean = asked.map(({ typeOid }) => typeOid === BOOL_OID);
      const read: readonly Row[] = values.map((row) => asked.map(({ name, typeOid }) => {
        const value = row[NAMES.findIndex((known) => known === name)] ?? null;
        return value === null || typeOid !== BOOL_OID ? value : value.length % 2 === 0 ? 't' : 'f';
      }));
      const { snapshotTemplate: template } = converter;
      invariant(template !== undefined, 'a shape without subqueries has lines without marks');

      const looked = [copied, sent].map((send) => joinedLines(linesOf(send(new RowWriter(isBoolean), read), converter)));
      const direct = [copied, sent].map((send) => send(new LineEncoder(template, isBoolean), read));

      expect(direct.map(told)).toEqual(looked.map(told));
    }),
    { numRuns: 1_000 },
  );
});

function copied<Fragment>(encoder: RowEncoder<Fragment>, sent: readonly Row[]): Fragment {
  for (const line of sent.map(copyLineOf)) encoder.copyLine(line, 0, line.length);
  return encoder.take();
}

function sent<Fragment>(encoder: RowEncoder<Fragment>, values: readonly Row[]): Fragment {
  for (const row of values.map(dataRowOf)) encoder.dataRow(row, 0, row.length);
  return encoder.take();
}

function linesOf(fragment: Uint8Array, converter: ChangeConverter): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let at = 0; at < fragment.length; ) {
    const change = new Change(fragment, at);
    if (change.new !== undefined) lines.push(converter.snapshotLine(change.new));
    at = change.end;
  }
  return lines;
}

function told({ bytes, ends }: ReturnType<typeof joinedLines>): unknown {
  return { text: Buffer.from(bytes).toString('latin1'), ends: [...ends] };
}
