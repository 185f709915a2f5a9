/** PartitionTrees: of each partitioned table that is followed, the tree that the log was told last. */
import type { PartitionTree } from '../../model/partition-tree.ts';

/** As it is logged. */
export type TreeEntry = PartitionTree | { readonly oid: number; readonly isForgotten: true };

export class PartitionTrees {
  private readonly byOid = new Map<number, PartitionTree>();

  get(oid: number): PartitionTree | undefined {
    return this.byOid.get(oid);
  }

  all(): Iterable<PartitionTree> {
    return this.byOid.values();
  }

  take(entry: TreeEntry): void {
    if ('isForgotten' in entry) this.byOid.delete(entry.oid);
    else this.byOid.set(entry.oid, entry);
  }

  clone(): PartitionTrees {
    const copy = new PartitionTrees();
    for (const tree of this.byOid.values()) copy.take(tree);
    return copy;
  }
}
