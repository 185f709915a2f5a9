/** The wiring of the limits: what expiry looks at, and whether a new shape finds room. */
import { ShapeDirectory } from '../../actors/directory/shape-directory.ts';
import { OutgrownLogs, type OutgrownPorts } from '../../actors/expiry/outgrown-logs.ts';
import { ShapeLimits, type Limits, type LimitsPorts } from '../../actors/expiry/shape-limits.ts';
import { serviceLevel } from '../../actors/status-monitor.ts';
import type { LimitsStanding } from '../../api/ports.ts';
import { uncopied } from '../../base/fork.ts';
import { inUseMs } from '../../settings/shape-use.ts';
import { diskFigures } from '../../storage/disk-figures.ts';
import type { ShapeLog } from '../../storage/shapes/shape-logs.ts';
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
  const { configuration, runtime, world: { clock } } = resources;
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
  return {
    tables: () => ({
      limits: new ShapeLimits(limits, limitsPorts(resources, reads, use)),
      logs: new OutgrownLogs(keepEveryUpdate ? Infinity : shapeLogBytesMax, outgrownPorts(resources)),
    }),
    standing: () => (isLimited ? use.standing : undefined),
    hasRoom() {
      if (storageBytesMax === undefined) return true;
      if (clock.nowMs() - last.atMs >= LOOK_KEPT_MS) {
        last = { atMs: clock.nowMs(), hasRoom: roomBytes(resources) > 0 };
        if (!last.hasRoom) runtime.send('@expiry', { type: 'makeRoom' });
      }
      if (!last.hasRoom) use.noteRefused();
      return last.hasRoom;
    },
  };
}

/** How many may come yet: none, or less, where the shapes have reached their limit. */
function roomBytes(resources: ServiceResources): number {
  const { storage, configuration: { storageBytesMax } } = resources;
  if (storageBytesMax === undefined) return Infinity;
  const { snapshots, lines } = diskFigures(storage, servedShapes(resources));
  return storageBytesMax - snapshots - lines;
}

/** What is condemned gives its room back by itself, and serves nobody. */
function* servedShapes({ runtime, storage }: ServiceResources): Iterable<ShapeLog> {
  const directory = livingTable(runtime, '@shape-cache', 'directory', ShapeDirectory);
  if (directory === undefined) return;
  for (const shape of storage.shapes.all()) if (directory.definitionOf(shape.handle) !== undefined) yield shape;
}

function limitsPorts(resources: ServiceResources, reads: ShapeReads, use: LimitUse): LimitsPorts {
  const { runtime, world: { clock } } = resources;
  return {
    canEnd: () => runtime.refOf('@shape-cache')?.getSnapshot()?.hasTag('ready') === true,
    noteLook: (look) => use.noteLook(look),
    shapes: () => servedShapes(resources),
    lastReadMs: (handle) => reads.lastReadMs(handle),
    nowMs: () => clock.nowMs(),
    clone: uncopied('what lies on a disk'),
  };
}

function outgrownPorts(resources: ServiceResources): OutgrownPorts {
  const { runtime } = resources;
  const isActive = (): boolean => serviceLevel(runtime.refOf('@status-monitor')?.getSnapshot()?.value) === 'active';
  return {
    shapes: () => servedShapes(resources),
    roomBytes: () => (isActive() ? roomBytes(resources) : -Infinity),
    clone: uncopied('what lies on a disk'),
  };
}
