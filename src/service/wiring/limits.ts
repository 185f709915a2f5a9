/** The wiring of the limits: what expiry looks at, and whether a new shape finds room. */
import { ShapeDirectory } from '../../actors/directory/shape-directory.ts';
import { ShapeLimits, type Limits, type LimitsPorts } from '../../actors/expiry/shape-limits.ts';
import { uncopied } from '../../base/fork.ts';
import { inUseMs } from '../../settings/shape-use.ts';
import { diskFigures } from '../../storage/disk-figures.ts';
import type { ServiceResources } from '../service-resources.ts';
import { livingTable } from './living-table.ts';
import type { ShapeReads } from './shape-reads.ts';

/** Who was refused may come back at once, many times, and looking walks over all shapes. */
const FULL_KEPT_MS = 1_000;

/** What a service knows of its limits. */
export interface ServiceLimits {
  readonly isLimited: boolean;
  table(): ShapeLimits;
  /** A new shape may be made. That there is no room may be a second old. */
  hasRoom(): boolean;
}

export function serviceLimits(resources: ServiceResources, reads: ShapeReads): ServiceLimits {
  const { configuration: { maxShapes, shapeExpireAfterMs, storageBytesMax, longPollTimeoutMs }, storage, world: { clock } } = resources;
  const limits: Limits = {
    shapesMax: maxShapes,
    bytesMax: storageBytesMax,
    unreadMsMax: shapeExpireAfterMs,
    inUseMs: inUseMs(longPollTimeoutMs),
  };
  let fullAtMs = Number.NEGATIVE_INFINITY;
  const look = (): boolean => {
    const { snapshots, lines } = diskFigures(storage);
    return snapshots + lines < (storageBytesMax ?? Infinity);
  };
  return {
    isLimited: [maxShapes, shapeExpireAfterMs, storageBytesMax].some((limit) => limit !== undefined),
    table: () => new ShapeLimits(limits, limitsPorts(resources, reads)),
    hasRoom() {
      if (storageBytesMax === undefined) return true;
      if (clock.nowMs() - fullAtMs < FULL_KEPT_MS) return false;
      if (look()) return true;
      fullAtMs = clock.nowMs();
      return false;
    },
  };
}

function limitsPorts({ runtime, storage, world: { clock } }: ServiceResources, reads: ShapeReads): LimitsPorts {
  return {
    *shapes() {
      const directory = livingTable(runtime, '@shape-cache', 'directory', ShapeDirectory);
      if (directory === undefined) return;
      for (const shape of storage.shapes.all()) if (directory.definitionOf(shape.handle) !== undefined) yield shape;
    },
    lastReadMs: (handle) => reads.lastReadMs(handle),
    nowMs: () => clock.nowMs(),
    clone: uncopied('what lies on a disk'),
  };
}
