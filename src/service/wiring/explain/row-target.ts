/**
 * RowTarget: one row of a shape's table, as Postgres has it now, for who wonders about it. All that the shape reads of it is asked for, and
 * the filter is not: whether that takes the row is the question.
 *
 * It takes the snapshot that there is. One that does not show yet what the shape has taken is told as such, and not waited for.
 */
import { Change } from '../../../model/change.ts';
import type { AskedDatabaseRow, RowRead } from '../../../api/explain/explain-source.ts';
import { isBooleanColumn } from '../../../api/explain/row-key.ts';
import type { LogPosition } from '../../../model/log-position.ts';
import type { PgSnapshot } from '../../../model/pg-snapshot.ts';
import type { ShapeDefinition } from '../../../model/shape.ts';
import { quoteName } from '../../../postgres/connection/sql-text.ts';
import type { SubsetQueryTarget } from '../../../postgres/snapshot/subset-query-port.ts';
import { endsShape } from '../../../shapes/layout-change.ts';
import type { QueryWithMembers } from '../../../sql/where.ts';
import type { TransactionLog } from '../../../storage/log/transaction-log.ts';

type Found = Extract<RowRead, { outcome: 'row' }>;

export class RowTarget implements SubsetQueryTarget {
  readonly relation;
  readonly columns: readonly string[];
  readonly where: QueryWithMembers;
  readonly order = undefined;
  readonly limit = 1;
  readonly offset = undefined;
  readonly signal: AbortSignal;
  private row: Found['row'];
  private taken: { readonly pgSnapshot: PgSnapshot; readonly flush: () => Promise<void> } | undefined;

  /** @param position of the shape, where there is one. */
  constructor(
    private readonly asked: AskedDatabaseRow,
    private readonly log: Pick<TransactionLog, 'firstUnseen'>,
    private readonly position: LogPosition | undefined,
  ) {
    const { definition, key, signal } = asked;
    this.relation = definition.relation;
    this.columns = definition.reads.map(({ name }) => name);
    this.where = whereOf(definition, key);
    this.signal = signal;
  }

  accepts(found: Parameters<typeof endsShape>[0]): boolean {
    return !endsShape(found, this.asked.definition);
  }

  isNewEnough(): boolean {
    return true;
  }

  begin(pgSnapshot: PgSnapshot, flush: () => Promise<void>): void {
    this.taken = { pgSnapshot, flush };
  }

  rows(fragment: Uint8Array): Promise<void> {
    const { new: tuple } = new Change(fragment, 0);
    this.row = tuple && Object.fromEntries(this.columns.map((column, index) => [column, tuple.text(index)]));
    return Promise.resolve();
  }

  /** Once the query is over: nothing of it is told that a crash of Postgres could undo. Undefined when it did not begin. */
  async found(): Promise<Found | undefined> {
    if (this.taken === undefined) return undefined;
    const { pgSnapshot, flush } = this.taken;
    await flush();
    const unseen = this.position === undefined ? undefined : this.log.firstUnseen(pgSnapshot);
    const isAhead = unseen !== undefined && this.position !== undefined && unseen < this.position;
    return { outcome: 'row', row: this.row, pgSnapshot, isAhead };
  }
}

/** A primary key is looked up. Where there is none, all columns are compared as they are written: not every type has an equality. */
function whereOf(definition: ShapeDefinition, key: AskedDatabaseRow['key']): QueryWithMembers {
  const hasKey = definition.primaryKey.length > 0;
  const conditions = key.map(({ column }, index) => {
    const name = quoteName(column);
    if (hasKey) return `${name} = $${index + 1}`;
    return isBooleanColumn(definition, column)
      ? `${name} IS NOT DISTINCT FROM $${index + 1}::bool`
      : `${name}::text IS NOT DISTINCT FROM $${index + 1}::text`;
  });
  return { sql: conditions.join(' AND '), params: key.map(({ text }) => text) };
}
