/**
 * PartitionTree: all that is below a partitioned table whose shapes are followed, as it was when it was looked at last.
 *
 * A partition that is attached or detached takes its rows with it, of which no stream tells. So shapes of the tables above have other rows
 * than they should, and end. What was made as a partition had no rows before, and whatever came into it is in the stream.
 */
import type { PartitionLink } from './partition-link.ts';

export interface PartitionTree {
  /** Of the table. */
  readonly oid: number;
  readonly links: readonly PartitionLink[];
  /** The last layout that was known before it was looked at: what later ones tell of links is not in these yet. */
  readonly layoutId: number;
  /** Shapes whose handles were made before this have other rows, on the clock's scale. */
  readonly turnedMicros: number;
}

/** As the catalogue has it. */
export interface FoundLink extends PartitionLink {
  /** The child was made as a partition: it never had rows outside of it. */
  readonly isBorn: boolean;
}

/** What is found out now concerns every shape that has rows, also one whose handle was made before the clock was set back. */
export const EVER = Number.MAX_SAFE_INTEGER;

/** Where trees are kept. */
export interface TreeMemory {
  /** The last that the stream has described. */
  readonly lastLayoutId: number;
  treeOf(oid: number): PartitionTree | undefined;
  /** Durable with whatever is told afterwards. */
  keepTree(tree: PartitionTree): void;
  forgetTree(oid: number): void;
  /** What layouts behind `after`, up to `through`, tell of links below the table of this oid. */
  linksTold(oid: number, after: number, through: number): Iterable<PartitionLink>;
}

/**
 * @param lastLayoutId that of the memory, before the catalogue was asked.
 * @returns the tree as it is kept from now on.
 */
export function lookedAtTree(
  memory: TreeMemory,
  oid: number,
  found: readonly FoundLink[],
  lastLayoutId: number,
  micros: number,
): PartitionTree {
  const known = memory.treeOf(oid);
  const links = found.map(({ child, parent, since }) => ({ child, parent, since }));
  if (known === undefined) return kept(memory, { oid, links, layoutId: lastLayoutId, turnedMicros: 0 });
  const [before, now] = [keysOf(known.links), keysOf(links)];
  const added = found.filter((link) => !before.has(keyOf(link)));
  const expected = [...known.links, ...memory.linksTold(oid, known.layoutId, lastLayoutId)];
  const hasTurned = expected.some((link) => !now.has(keyOf(link))) || added.some(({ isBorn }) => !isBorn);
  if (hasTurned) return kept(memory, { oid, links, layoutId: lastLayoutId, turnedMicros: micros });
  return added.length === 0 ? known : kept(memory, { ...known, links, layoutId: lastLayoutId });
}

function kept(memory: TreeMemory, tree: PartitionTree): PartitionTree {
  memory.keepTree(tree);
  return tree;
}

function keysOf(links: readonly PartitionLink[]): ReadonlySet<string> {
  return new Set(links.map(keyOf));
}

function keyOf({ child, parent, since }: PartitionLink): string {
  return `${child} ${parent} ${since}`;
}
