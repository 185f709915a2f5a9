/** The wiring of the limits: what expiry looks at, and whether a new shape finds room. */
import { ShapeDirectory } from '../../actors/directory/shape-directory.ts';
import { OutgrownLogs, type OutgrownPorts } from '../../actors/expiry/outgrown-logs.ts';
import { ShapeLimits, type Limits, type LimitsPorts } from '../../actors/expiry/shape-limits.ts';
import { serviceLevel } from '../../actors/status-monitor.ts';
import type { LimitsStanding } from '../../api/ports.ts';
import { uncopied } from '../../base/fork.ts';
import { inUseMs } from '../../settings/shape-use.ts';
import { diskFigures } from '../../storage/disk-figures.ts';
import type { ServiceResources } from '../service-resources.ts';
import { LimitUse } from './limit-use.ts';
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
  /** Undefined where no limit is set. */
  standing(): LimitsStanding | undefined;
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
  const isLimited = [maxShapes, shapeExpireAfterMs, storageBytesMax].some((limit) => limit !== undefined);
  const use = new LimitUse(limits, clock);
  let last = { atMs: Number.NEGATIVE_INFINITY, hasRoom: true };
  const look = (): boolean => {
    const { snapshots, lines } = diskFigures(storage);
    return snapshots + lines < (storageBytesMax ?? Infinity);
  };
  return {
    tables: () => ({
      limits: new ShapeLimits(limits, limitsPorts(resources, reads, use)),
      logs: new OutgrownLogs(keepEveryUpdate ? Infinity : shapeLogBytesMax, outgrownPorts(resources)),
    }),
    standing: () => (isLimited ? use.standing : undefined),
    hasRoom() {
      if (storageBytesMax === undefined) return true;
      if (clock.nowMs() - last.atMs >= LOOK_KEPT_MS) {
        last = { atMs: clock.nowMs(), hasRoom: look() };
        if (!last.hasRoom) runtime.send('@expiry', { type: 'makeRoom' });
      }
      if (!last.hasRoom) use.noteRefused();
      return last.hasRoom;
    },
  };
}

function limitsPorts({ runtime, storage, world: { clock } }: ServiceResources, reads: ShapeReads, use: LimitUse): LimitsPorts {
  return {
    noteLook: (look) => use.noteLook(look),
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
