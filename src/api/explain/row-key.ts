/**
 * RowKey: the key of a row as lines have it, `"public"."issues"/"7"`, and the values that it is made of: those of the primary key, or of
 * all columns where there is none. A slash within a value stands twice, and NULL is `_`. Of a boolean the first letter stands in it.
 */
import type { ShapeDefinition } from '../../model/shape.ts';
import { quoteRelation } from '../../sql/identifiers.ts';

export interface KeyValue {
  readonly column: string;
  /** Null for NULL. */
  readonly text: string | null;
}

const BOOL_OID = 16;

/** In the order in which they stand in the key. */
export function keyColumns({ primaryKey, reads }: ShapeDefinition): readonly string[] {
  return primaryKey.length > 0 ? primaryKey : reads.map(({ name }) => name);
}

export function isBooleanColumn({ reads }: ShapeDefinition, column: string): boolean {
  return reads.some(({ name, typeOid }) => name === column && typeOid === BOOL_OID);
}

export function keyText(definition: ShapeDefinition, values: readonly KeyValue[]): string {
  const parts = values.map(({ column, text }) => {
    if (text === null) return '/_';
    const written = isBooleanColumn(definition, column) ? text.slice(0, 1) : text;
    return `/"${written.replaceAll('/', '//')}"`;
  });
  return `${quoteRelation(definition.relation)}${parts.join('')}`;
}

/** @returns undefined for what is no key of a row of this shape's table. */
export function keyValues(definition: ShapeDefinition, key: string): readonly KeyValue[] | undefined {
  const table = quoteRelation(definition.relation);
  if (!key.startsWith(table)) return undefined;
  const texts = textsIn(key, table.length);
  const columns = keyColumns(definition);
  if (texts?.length !== columns.length) return undefined;
  return columns.map((column, index) => ({ column, text: texts[index] ?? null }));
}

/** A quote closes a value where the key ends, or another part begins. */
const PART = /\/(?:_|"((?:[^"]|"(?!$|\/[_"]))*)")/y;

function textsIn(key: string, start: number): readonly (string | null)[] | undefined {
  const texts: (string | null)[] = [];
  let at = start;
  while (at < key.length) {
    PART.lastIndex = at;
    const part = PART.exec(key);
    if (part === null) return undefined;
    texts.push(part[1]?.replaceAll('//', '/') ?? null);
    at += part[0].length;
  }
  return texts;
}
