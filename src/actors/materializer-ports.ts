/**
 * What a Materializer's table needs from outside; the roof decides what is behind it.
 *
 * The port `@shape-reader` fills the blocks: a call `readBlock { owner, handle, column, after, through }`, from a place up to
 * an offset, puts a block under the pid of its owner. It is answered `history.blockRead { after, through }`, whose place
 * `through` lies behind `after` and never beyond the offset, or `history.isGone` when there is no such log any more. A block
 * is bounded: it may end within a chunk of the snapshot.
 */
import type { Forkable } from '../base/fork.ts';
import type { EntryRange } from '../model/log-entry.ts';
import type { LogOffset } from '../model/log-offset.ts';
import type { PlacedRow } from '../model/row-values.ts';
import type { Handle } from '../model/shape.ts';
import type { MemberListing } from '../shapes/member-index.ts';

export interface MaterializerPorts extends Forkable<MaterializerPorts> {
  /** Hands over the rows of a block that was read, once. @throws when it was not read. */
  take(range: EntryRange): readonly PlacedRow[];
  /** The owner has ended: what is read for it from now on is nobody's. */
  close(): void;
  /** The version that the furthest back of the stored dependants looks at; before everything for one that has yet to begin. */
  oldestView(): LogOffset | undefined;
  /** The stored dependants that look at a version before this one. */
  dependantsBefore(version: LogOffset): readonly Handle[];
  /** Without one, several rows may have the same key. */
  readonly hasPrimaryKey: boolean;
  /** Whether rows of the shape's table may come and go with partitions, as no line tells. */
  isPartitioned(): boolean;
  /** For the column in the index by which changes are routed. */
  readonly listing: MemberListing;
}
