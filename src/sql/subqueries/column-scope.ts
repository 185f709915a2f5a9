/** ColumnScope: the columns that a filter may name, and what those of them that are qualified are called where it stands alone. */
import type { ColumnRef } from 'libpg-query';
import type { OpaqueColumn } from '../checkers/checked.ts';
import type { StandingAlone, TypedColumn, WrittenColumn } from '../expression.ts';
import { quoteIdentifier, quoteRelation } from '../identifiers.ts';
import { namesIn, shownReference } from '../syntax/parse-tree.ts';
import { isTypeName } from '../values/type-names.ts';
import { refusalAt } from '../where-refusal.ts';
import type { WhereColumn } from '../where.ts';
import { isCalled, type NamedTable } from './named-table.ts';

const SAME_TABLE = 'a table that EXISTS selects from within itself needs an alias of its own';

export class ColumnScope {
  private readonly columns: ReadonlyMap<string, WhereColumn>;
  /** By their places. */
  private readonly renamings = new Map<number, StandingAlone['renamed'][number]>();

  /** @param table undefined where its columns cannot be qualified. */
  constructor(
    columns: readonly WhereColumn[],
    private readonly table: NamedTable | undefined,
  ) {
    this.columns = new Map(columns.map((column) => [column.name, column]));
  }

  get renamed(): StandingAlone['renamed'] {
    return [...this.renamings.values()];
  }

  /** Whether a name means the table: without a qualifier, by its columns. */
  owns({ fields = [] }: ColumnRef): boolean {
    const names = namesIn(fields);
    if (names.length === 1) return this.columns.has(names[0] ?? '');
    return this.table !== undefined && isCalled(this.table, names.slice(0, -1));
  }

  /** @throws {WhereRefusal} where there is none of that name. */
  column(reference: ColumnRef): TypedColumn | OpaqueColumn {
    const { fields = [], location } = reference;
    const names = namesIn(fields);
    const name = names.at(-1) ?? '';
    const column = this.owns(reference) ? this.columns.get(name) : undefined;
    if (column === undefined) throw refusalAt(location, `unknown reference ${shownReference(names)}`);
    const { dimensions, isEnum = false, collation } = column;
    const type = dimensions === 0 ? column.typeName : `${column.typeName}[]`;
    if (collation?.isDeterministic === false) {
      return { kind: 'opaque', name, type, isEnum, why: `text under the nondeterministic collation ${collation.name} is not supported` };
    }
    return isTypeName(type) ? { kind: 'column', name, type, collation } : { kind: 'opaque', name, type, isEnum };
  }

  /** A column, or all of the table. @throws {WhereRefusal} where there is nothing of that name. */
  expectKnown(reference: ColumnRef): void {
    const names = namesIn(reference.fields ?? []);
    if (names.at(-1) !== '*') this.column(reference);
    else if (names.length > 1 && !this.owns(reference)) throw refusalAt(reference.location, `unknown reference ${shownReference(names)}`);
  }

  /** A column that its own name says all of where the filter stands alone. */
  unqualified(reference: ColumnRef): TypedColumn | OpaqueColumn {
    const column = this.column(reference);
    this.rename(reference, quoteIdentifier(column.name));
    return column;
  }

  /** A column named in a subquery on `table`: where the filter stands alone, an alias is not known. */
  outer(reference: ColumnRef, table: NamedTable): TypedColumn | OpaqueColumn {
    const column = this.column(reference);
    if (this.table === undefined) return column;
    const { schema, name } = this.table.relation;
    const isQualified = writtenColumn(reference).names > 1;
    if (isQualified && isCalled(table, [schema, name])) throw refusalAt(reference.location, SAME_TABLE);
    this.rename(reference, `${quoteRelation(this.table.relation)}.${quoteIdentifier(column.name)}`);
    return column;
  }

  /** @param sql what a column that is qualified is called where the filter stands alone. */
  private rename(reference: ColumnRef, sql: string): void {
    const written = writtenColumn(reference);
    if (written.names > 1) this.renamings.set(written.location, { ...written, sql });
  }
}

export function writtenColumn({ fields = [], location = 0 }: ColumnRef): WrittenColumn {
  return { location, names: fields.length };
}
