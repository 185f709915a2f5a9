/** The wiring of the storage: its ports, and what those and the tables of the processes share over its logs. */
import { invariant } from '../../base/invariant.ts';
import type { RelationLayout } from '../../model/relation.ts';
import type { Handle } from '../../model/shape.ts';
import { ChangeConverter } from '../../shapes/change-converter.ts';
import { HeldViews } from '../../shapes/held-views.ts';
import { LineReader } from '../../shapes/line-reader.ts';
import { Projections } from '../../shapes/projection.ts';
import { ShownSnapshots } from '../../shapes/shown-snapshots.ts';
import { checkpointPort } from '../../storage/checkpoint/checkpoint-port.ts';
import { diskPort } from '../../storage/disk/disk-port.ts';
import { LogBlocks } from '../../storage/log/log-blocks.ts';
import { LogIntake } from '../../storage/log/log-intake.ts';
import { logReaderPort } from '../../storage/log/log-reader-port.ts';
import { logWriterPort } from '../../storage/log/log-writer-port.ts';
import { ShapeBlocks } from '../../storage/shapes/shape-blocks.ts';
import type { ShapeLog } from '../../storage/shapes/shape-logs.ts';
import { splicePort } from '../../storage/shapes/splice-port.ts';
import { MovedRows } from '../../storage/shapes/moved-rows.ts';
import { shapeReaderPort } from '../../storage/shapes/shape-reader-port.ts';
import type { Storage } from '../../storage/storage.ts';
import type { TransactionWatch } from '../../telemetry/transaction-watch.ts';
import type { ServiceResources } from '../service-resources.ts';
import type { World } from '../world.ts';
import { ShapeFilters } from './shape-filters.ts';
import { tagHashOf } from './tag-hash.ts';

/** The ends of the logs that a port fills and a table of a process reads, or the other way round. */
export interface LogAccess {
  /** What comes from Postgres, on its way into the transaction log. */
  readonly intake: LogIntake;
  /** Blocks of the transaction log that were read for somebody. */
  readonly blocks: LogBlocks;
  /** The same for the two collectors, which do not wait behind shapes that read by themselves. */
  readonly nextBlocks: LogBlocks;
  /** The same of the shapes' logs. */
  readonly shapeBlocks: ShapeBlocks;
  /** Rows of splices that were read for Consumers. */
  readonly movedRows: MovedRows;
  readonly filters: ShapeFilters;
  readonly heldViews: HeldViews;
  readonly shownSnapshots: ShownSnapshots<ShapeLog>;
  readonly projections: Projections;
  readonly layoutOf: (id: number) => RelationLayout | undefined;
}

/** @param watch told how far the log is durable. */
export function logAccess({ storage, language }: Pick<ServiceResources, 'storage' | 'language'>, watch?: TransactionWatch): LogAccess {
  return {
    intake: new LogIntake(storage.log, storage.disk, watch && ((through) => watch.durable(through))),
    blocks: new LogBlocks(storage.log),
    nextBlocks: new LogBlocks(storage.log),
    shapeBlocks: new ShapeBlocks(),
    movedRows: new MovedRows(),
    filters: new ShapeFilters(language),
    heldViews: new HeldViews(),
    shownSnapshots: new ShownSnapshots(),
    projections: new Projections(),
    layoutOf: (id) => storage.log.layoutOf(id),
  };
}

export function storagePorts(
  { storage, world }: Pick<ServiceResources, 'storage'> & { readonly world: Pick<World, 'clock'> },
  { intake, blocks, nextBlocks, shapeBlocks, movedRows }: LogAccess,
) {
  const { log, shapes, disk } = storage;
  const checkpoints = checkpointPort(log, shapes, disk, world.clock);
  return {
    disk: () => diskPort(disk),
    logWriter: () => logWriterPort(intake, { replication: '@replication', collector: '@shape-log-collector' }, world.clock),
    logReader: () => logReaderPort(log, blocks, nextBlocks),
    shapeReader: () => shapeReaderPort({ shapes, disk }, shapeBlocks, (column) => new LineReader(column)),
    checkpoints: () => checkpoints,
    splices: () => splicePort({ shapes, disk }, movedRows),
  };
}

/** @throws {InvariantError} when the shape was deleted, or never made. */
export function shapeLogOf({ shapes }: Storage, handle: Handle): ShapeLog {
  const shapeLog = shapes.get(handle);
  invariant(shapeLog !== undefined, `a shape's log outlives its processes: ${handle}`);
  return shapeLog;
}

/** What turns rows and changes into the lines of this shape. */
export function linesOf({ handle, definition }: ShapeLog, { filters, projections, layoutOf }: LogAccess): ChangeConverter {
  const tagHash = definition.dependencies && tagHashOf(handle);
  return new ChangeConverter(definition, filters.of(definition), layoutOf, projections.of(definition), tagHash);
}
