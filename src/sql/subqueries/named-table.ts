/** NamedTable: a table, and what it is called where its columns are named. */
import type { RelationName } from '../identifiers.ts';

export interface NamedTable {
  readonly relation: RelationName;
  /** Hides the table's own name. */
  readonly alias?: string | undefined;
}

/** @param qualifier what stands before the name of a column: at least one name. */
export function isCalled({ relation: { schema, name }, alias }: NamedTable, qualifier: readonly string[]): boolean {
  const [first, second, ...more] = qualifier;
  if (second === undefined) return first === (alias ?? name);
  return alias === undefined && first === schema && second === name && more.length === 0;
}
