/** The wiring of the limits: what expiry looks at, and whether a new shape finds room. */
import { ShapeDirectory } from '../../actors/directory/shape-directory.ts';
import { OutgrownLogs, type OutgrownPorts } from '../../actors/expiry/outgrown-logs.ts';
import { ShapeLimits, type Limits, type LimitsPorts } from '../../actors/expiry/shape-limits.ts';
import { serviceLevel } from '../../actors/status-monitor.ts';
import { uncopied } from '../../base/fork.ts';
import { inUseMs } from '../../settings/shape-use.ts';
import { diskFigures } from '../../storage/disk-figures.ts';
import type { ServiceResources } from '../service-resources.ts';
import { livingTable } from './living-table.ts';
import type { ShapeReads } from './shape-reads.ts';

/** Who was refused may come back at once, and many shapes are made together, while each look walks over all that there are. */
const LOOK_KEPT_MS = 1_000;

/** What a service knows of its limits. */
export interface ServiceLimits {
  /** Of expiry. */
  tables(): { readonly limits: ShapeLimits; readonly logs: OutgrownLogs };
  /** A new shape may be made. The answer may be a second old. When there turns out to be no room, expiry is asked for some. */
  hasRoom(): boolean;
}

export function serviceLimits(resources: ServiceResources, reads: ShapeReads): ServiceLimits {
  const { configuration, runtime, storage, world: { clock } } = resources;
  const { maxShapes, shapeExpireAfterMs, storageBytesMax, longPollTimeoutMs, shapeLogBytesMax, keepEveryUpdate } = configuration;
  const limits: Limits = {
    shapesMax: maxShapes,
    bytesMax: storageBytesMax,
    unreadMsMax: shapeExpireAfterMs,
    inUseMs: inUseMs(longPollTimeoutMs),
  };
  let last = { atMs: Number.NEGATIVE_INFINITY, hasRoom: true };
  const look = (): boolean => {
    const { snapshots, lines } = diskFigures(storage);
    return snapshots + lines < (storageBytesMax ?? Infinity);
  };
  return {
    tables: () => ({
      limits: new ShapeLimits(limits, limitsPorts(resources, reads)),
      logs: new OutgrownLogs(keepEveryUpdate ? Infinity : shapeLogBytesMax, outgrownPorts(resources)),
    }),
    hasRoom() {
      if (storageBytesMax === undefined) return true;
      if (clock.nowMs() - last.atMs < LOOK_KEPT_MS) return last.hasRoom;
      last = { atMs: clock.nowMs(), hasRoom: look() };
      if (!last.hasRoom) runtime.send('@expiry', { type: 'makeRoom' });
      return last.hasRoom;
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

function outgrownPorts({ runtime, storage }: ServiceResources): OutgrownPorts {
  return {
    shapes: () => storage.shapes.all(),
    canBeMade: () => serviceLevel(runtime.refOf('@status-monitor')?.getSnapshot()?.value) === 'active',
    clone: uncopied('what lies on a disk'),
  };
}
