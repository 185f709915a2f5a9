/** FollowerPorts: what a Materializer's table has of the service. One for each, and there may be very many. */
import type { MaterializerPorts } from '../../actors/materializer-ports.ts';
import { uncopied } from '../../base/fork.ts';
import type { EntryRange } from '../../model/log-entry.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { PlacedRow } from '../../model/row-values.ts';
import type { Handle } from '../../model/shape.ts';
import type { Pid } from '../../otp/process.ts';
import type { MemberListing } from '../../shapes/member-index.ts';
import { dependantsBefore, oldestView } from '../../shapes/oldest-view.ts';
import type { Storage } from '../../storage/storage.ts';
import type { LogAccess } from './storage.ts';

interface Followed {
  readonly self: Pid;
  readonly storage: Storage;
  readonly access: Pick<LogAccess, 'shapeBlocks' | 'heldViews'>;
  readonly handle: Handle;
  readonly column: string;
  readonly listing: MemberListing;
}

const UNCOPIED = uncopied('what lies on a disk');

/** Of a shape that ended while its Materializer was asked for there will be no values. The Materializer learns of that as of any end. */
export class FollowerPorts implements MaterializerPorts {
  readonly clone = UNCOPIED;
  readonly hasPrimaryKey: boolean;

  constructor(private readonly followed: Followed) {
    const { self, storage, access, handle } = followed;
    this.hasPrimaryKey = storage.shapes.get(handle)?.definition.primaryKey.length !== 0;
    access.shapeBlocks.open(self);
  }

  get listing(): MemberListing {
    return this.followed.listing;
  }

  take(range: EntryRange): readonly PlacedRow[] {
    return this.followed.access.shapeBlocks.take(this.followed.self, range);
  }

  close(): void {
    this.followed.access.shapeBlocks.close(this.followed.self);
  }

  oldestView(): LogOffset | undefined {
    const { storage, access, handle, column } = this.followed;
    return oldestView(allOf(storage.shapes.dependantsOf(handle), access.heldViews), handle, column);
  }

  dependantsBefore(version: LogOffset): readonly Handle[] {
    const { storage, handle, column } = this.followed;
    return dependantsBefore(version, storage.shapes.dependantsOf(handle), handle, column);
  }

  /** A look at the catalogue found it so, or the stream told of a partition before there was one. */
  isPartitioned(): boolean {
    const { storage: { log, shapes }, handle } = this.followed;
    const oid = shapes.get(handle)?.definition.relation.oid;
    if (oid === undefined) return false;
    return log.treeOf(oid) !== undefined || !log.linksTold(oid, 0, log.lastLayoutId)[Symbol.iterator]().next().done;
  }
}

function* allOf<Item>(...lists: readonly Iterable<Item>[]): Iterable<Item> {
  for (const list of lists) yield* list;
}
