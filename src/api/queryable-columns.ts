/**
 * `queryable_columns`: an allow-list that a proxy puts in front of what its clients may choose. It bounds the selected
 * columns, and is what they get when they choose none; the filter is the proxy's own and not bounded.
 */
import { hasPrimaryKey, keyColumns, type Relation } from '../model/relation.ts';
import { invalidRequest, type Refusal } from './refusal.ts';
import type { DefinitionParameters } from './shape-parameters.ts';

export interface ChosenColumns {
  /** Undefined for all of the table's. */
  readonly names: readonly string[] | undefined;
}

export function chosenColumns({ columns, queryableColumns }: DefinitionParameters, relation: Relation): ChosenColumns | Refusal {
  if (queryableColumns === undefined) return { names: columns };
  const missing = missingKeys(relation, queryableColumns);
  if (missing.length > 0)
    return refused(`The list of queryable columns must include all primary key columns, missing: ${missing.join(', ')}`);
  const present = new Set(relation.columns.map(({ name }) => name));
  const unknown = queryableColumns.filter((wanted) => !present.has(wanted));
  if (unknown.length > 0) return refused(`The following queryable columns are not found on the table: ${unknown.join(', ')}`);
  const allowed = new Set(queryableColumns);
  const outside = (columns ?? []).filter((name) => !allowed.has(name));
  // A key that is missing is reported before a name that is not found, by whoever reads the columns.
  if (outside.length === 0 || missingKeys(relation, columns ?? []).length > 0) return { names: columns ?? queryableColumns };
  return invalidRequest({ columns: [`The following columns are not found on the table: ${outside.join(', ')}`] });
}

function refused(text: string): Refusal {
  return invalidRequest({ queryable_columns: [text] });
}

function missingKeys(relation: Relation, names: readonly string[]): readonly string[] {
  if (!hasPrimaryKey(relation)) return [];
  return keyColumns(relation).flatMap((index) => relation.columns[index]?.name ?? []).filter((name) => !names.includes(name));
}
