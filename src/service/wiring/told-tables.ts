/** ToldTables: what a description of a table in the stream puts in doubt, once the log has it. */
import type { PartitionLink } from '../../model/partition-link.ts';
import type { RelationLayout } from '../../model/relation.ts';

type Told = Omit<RelationLayout, 'id'>;

export interface Doubts {
  /** What the catalogue told of the table no longer counts. */
  table(table: Told): void;
  /** Nor what it told of those above it. */
  tablesAbove(oids: readonly number[]): void;
  /** Partitions of these tables may have come or gone. */
  partitionsOf(oids: readonly number[]): void;
}

export class ToldTables {
  /** Of partitions alone, as they were described last. */
  private readonly links = new Map<number, readonly PartitionLink[]>();

  constructor(private readonly doubts: Doubts) {}

  tell(table: Told): void {
    const { oid, links = [] } = table;
    const before = this.links.get(oid) ?? [];
    if (links.length === 0) this.links.delete(oid);
    else this.links.set(oid, links);
    this.doubts.table(table);
    if (links.length > 0) this.doubts.tablesAbove(parentsOf(links));
    if (JSON.stringify(before) !== JSON.stringify(links)) this.doubts.partitionsOf(parentsOf([...before, ...links]));
  }
}

function parentsOf(links: readonly PartitionLink[]): readonly number[] {
  return [...new Set(links.map(({ parent }) => parent))];
}
