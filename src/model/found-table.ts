/** A table as a transaction found it in the catalogue, with what no layout says. */
import type { ColumnFacts } from './column-facts.ts';
import type { LayoutColumn, RelationLayout } from './relation.ts';

export interface FoundColumn extends LayoutColumn {
  readonly facts: ColumnFacts;
  /** Place in the primary key, from 0; null for any other column. */
  readonly pkIndex: number | null;
}

export interface FoundTable extends Omit<RelationLayout, 'id' | 'columns'> {
  readonly columns: readonly FoundColumn[];
  /** Which files it lies in, or its oldest partition: others when its rows were written anew. */
  readonly files: string;
}
