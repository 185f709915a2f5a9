/** Filters by which many shapes of one table differ, and the rows of that table, each of which is one shape's. */
import { invariant } from '../../src/base/invariant.ts';
import type { RelationLayout } from '../../src/model/relation.ts';
import type { Where, WhereColumn, WhereLanguage } from '../../src/sql/where.ts';

const COLLATION = { name: 'C', order: 'bytes', cases: 'ascii', isDeterministic: true } as const;
const TEXT = ['text', 25, 0] as const;
const INT4 = ['int4', 23, 0] as const;
const TYPES = { id: INT4, owner: TEXT, title: TEXT, tags: ['text', 1009, 1], amount: INT4 } as const;

export const columns: readonly WhereColumn[] = Object.entries(TYPES).map(([name, [typeName, , dimensions]]) => {
  return { name, typeName, dimensions, ...(typeName === 'text' ? { collation: COLLATION } : {}) };
});

export const layout: RelationLayout = {
  id: 1, oid: 4711, schema: 'public', name: 'items',
  columns: Object.entries(TYPES).map(([name, [, typeOid]]) => ({ name, typeOid, typeMod: -1 })),
};

export interface Family {
  readonly what: string;
  /** Of the shape of that number. */
  filter(shape: number): string;
}

export const FAMILIES: readonly Family[] = [
  { what: "owner = 'N'", filter: (shape) => `owner = 'owner ${shape}'` },
  { what: 'owner = ANY (three of them)', filter: (shape) => `owner = ANY ('{owner ${shape},nobody ${shape},none ${shape}}')` },
  { what: "lower(title) = 'N'", filter: (shape) => `lower(title) = 'title ${shape}'` },
  { what: "tags @> '{everybody,N}'", filter: (shape) => `tags @> '{everybody,tag ${shape}}'` },
];

/** Of the shape of that number, and of no other. */
export function rowOf(shape: number): readonly string[] {
  return [String(shape), `owner ${shape}`, `Title ${shape}`, `{everybody,"tag ${shape}","tag of none"}`, String(shape % 1000)];
}

export function accepted(language: WhereLanguage, text: string): Where {
  const where = language.parse(text, {}, columns, undefined, { collation: COLLATION });
  invariant(!('error' in where), `the language accepts ${text}`);
  return where;
}
