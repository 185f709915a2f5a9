/** The wiring of the tables: what each process owns besides its context, made anew for each incarnation. */
import { ConsumerLog } from '../../actors/consumer/consumer-log.ts';
import type { ShapeWorked } from '../../actors/consumer/consumer-ports.ts';
import { hiddenLines } from '../../actors/consumer/hidden-lines.ts';
import { LinkValues } from '../../actors/link-values.ts';
import { MemberForm } from '../../actors/member-form.ts';
import { LogProgress } from '../../actors/collector/log-progress.ts';
import { PublishedRelations } from '../../actors/publication/published-relations.ts';
import { RequestBacklog } from '../../actors/request-backlog.ts';
import { statusMonitorTables } from '../../actors/status-monitor.ts';
import { RouterTable, type ShapeRouting } from '../../actors/collector/router-table.ts';
import { ShapeDirectory } from '../../actors/directory/shape-directory.ts';
import { Subscribers } from '../../actors/subscribers.ts';
import type { ShapeAnnouncements } from '../../api/ports.ts';
import type { Catalog } from '../../postgres/catalog/catalog.ts';
import { uncopied } from '../../base/fork.ts';
import { invariant } from '../../base/invariant.ts';
import { followedColumns, isByParts } from '../../model/followed-columns.ts';
import type { LogPosition } from '../../model/log-position.ts';
import { LSN_ZERO } from '../../model/lsn.ts';
import { bornMicros, type Handle, type ShapeDefinition } from '../../model/shape.ts';
import type { Configuration } from '../../settings/configuration.ts';
import { Deliveries } from '../../shapes/delivery.ts';
import type { Pid } from '../../otp/process.ts';
import { MemberIndex, memberKey } from '../../shapes/member-index.ts';
import { ShapeRouter } from '../../shapes/shape-router.ts';
import { equalText } from '../../sql/values/equal-text.ts';
import type { ShapeLog } from '../../storage/shapes/shape-logs.ts';
import type { Storage } from '../../storage/storage.ts';
import type { StackWiring } from '../../supervisors/stack-wiring.ts';
import type { ServiceResources } from '../service-resources.ts';
import type { World } from '../world.ts';
import { FollowerPorts } from './follower-ports.ts';
import { LinesOnDemand } from './lines-on-demand.ts';
import { livingTable } from './living-table.ts';
import { shapeLogOf, type LogAccess } from './storage.ts';
import { watchedKeeper, type Watches } from './watches.ts';
import { WritingPorts, type CommonPorts } from './writing-ports.ts';

/** What they stand over. Of the database they need one thing only: a table may have changed. */
export type TableResources = Pick<ServiceResources, 'storage' | 'runtime'> & {
  readonly configuration: Pick<Configuration, 'subqueryValuesMax' | 'shapeDormantAfterMs'>;
  readonly database: { readonly catalog: Pick<Catalog, 'doubt'> };
  readonly world: Pick<World, 'clock'>;
  readonly watches?: Pick<Watches, 'transactions'>;
};

/** Told of shapes, for the program around the service. Cheap, and never throws. */
export interface ShapeLives {
  /** A shape that there was not before. */
  started(handle: Handle, definition: ShapeDefinition): void;
  /** Nobody is led to it any longer. */
  ended(handle: Handle, definition: ShapeDefinition): void;
  /** Of the stored ones so many are back. */
  restoring(restored: number, of: number): void;
}

const UNHEARD: ShapeLives = { started: () => {}, ended: () => {}, restoring: () => {} };

/**
 * @param announcements told when a log has grown or ended.
 * @param worked told what each shape costs, if somebody wants to know.
 */
export function processTables(
  resources: TableResources,
  access: LogAccess,
  announcements: ShapeAnnouncements,
  lives = UNHEARD,
  worked?: ShapeWorked,
): StackWiring['tables'] {
  const { configuration, database, storage, world } = resources;
  const watch = resources.watches?.transactions;
  const { blocks, nextBlocks } = access;
  const deliveries = new Deliveries();
  const members = new MemberIndex();
  const common = commonPorts(resources, access, announcements, { deliveries, worked });
  const routerTable = (self: Pid, routed: Routed): RouterTable => {
    const router = new ShapeRouter(access.layoutOf, members);
    return new RouterTable(routing(storage, access, { router, routed, restsAt: restsAtOf(resources) }), nextBlocks.slot(self), deliveries);
  };
  return {
    statusMonitor: statusMonitorTables,
    collector: (self) => ({
      router: routerTable(self, watch && ((through) => watch.routed(through))),
      progress: new LogProgress(watch === undefined ? storage.shapes : watchedKeeper(storage.shapes, watch)),
    }),
    catchUpCollector: (self) => ({ router: routerTable(self, undefined) }), // It comes behind: what it routes has been counted.
    publicationManager: () => ({
      relations: new PublishedRelations({
        lost: (relation) => database.catalog.doubt(relation),
        isStored: (handle) => storage.shapes.get(handle) !== undefined,
        clone: uncopied('a catalogue'),
      }),
    }),
    shapeCache: () => ({
      directory: new ShapeDirectory({
        shapeLogs: storage.shapes,
        clock: world.clock,
        faultOf: (definition) => access.filters.faultOf(definition),
        mayRest: (handle) => configuration.shapeDormantAfterMs > 0 && shapeLogOf(storage, handle).restsAt !== undefined,
        started: (handle) => lives.started(handle, shapeLogOf(storage, handle).definition),
        restoring: (restored, of) => lives.restoring(restored, of),
        rotated(handle) {
          const { definition } = shapeLogOf(storage, handle);
          // Its table may have ended it: dropped, made anew, altered or taken out. Nobody else tells the catalogue of that.
          database.catalog.doubt(definition.relation);
          announcements.rotate(handle);
          lives.ended(handle, definition);
        },
        clone: uncopied('a catalogue'),
      }),
    }),
    consumer(handle, self) {
      const shapeLog = shapeLogOf(storage, handle);
      const [loaded, movedRows] = [blocks.slot(self, shapeLog.definition.relation), access.movedRows.slot(self)];
      return {
        log: new ConsumerLog(new WritingPorts(common, shapeLog, new LinesOnDemand(shapeLog, access), loaded, movedRows)),
        materializers: new Subscribers(),
        awaitingStart: new RequestBacklog(),
      };
    },
    materializer: (handle, column, self) => ({
      values: new LinkValues(
        column,
        new FollowerPorts({ self, storage, access, handle, column, listing: members.listing(memberKey(handle, column)) }),
        memberForm(storage.shapes.get(handle), column),
        { valuesMax: configuration.subqueryValuesMax },
      ),
      dependants: new Subscribers(),
      awaitingValues: new RequestBacklog(),
    }),
  };
}

/** One that is younger than that had no time to rest; and one that others depend on would be refused, each time. */
function restsAtOf({ configuration, runtime, storage, world }: TableResources): ShapeRouting['restsAt'] {
  const restAfterMicros = configuration.shapeDormantAfterMs * 1000;
  return (handle) => {
    if (bornMicros(handle) > world.clock.epochMicros() - restAfterMicros) return undefined;
    const directory = livingTable(runtime, '@shape-cache', 'directory', ShapeDirectory);
    return directory?.isNeeded(handle) === false ? storage.shapes.get(handle)?.restsAt : undefined;
  };
}

/** What is the same for all Consumers, made once. */
function commonPorts(
  { storage, runtime }: TableResources,
  { layoutOf }: LogAccess,
  announcements: ShapeAnnouncements,
  { deliveries, worked }: { readonly deliveries: Deliveries; readonly worked: ShapeWorked | undefined },
): CommonPorts {
  return {
    worked,
    layoutOf,
    takenByAll: () => storage.shapes.position,
    processedLsn() {
      const progress = livingTable(runtime, '@shape-log-collector', 'progress', LogProgress);
      return progress && (progress.lastProcessedLsn ?? LSN_ZERO);
    },
    announce(grown, end) {
      const isAwaited = announcements.announce(grown, end);
      // Readers of a shape that depends on others are told how far the service has come, and that is about to be noted.
      if (isAwaited && storage.shapes.get(grown)?.reached !== undefined) runtime.giveWay();
    },
    hidden: hiddenLines(),
    delivery: (id) => deliveries.get(id),
    valuesOf: (materializer) => livingTable(runtime, materializer, 'values', LinkValues),
  };
}

/** Told how far the log has been routed. */
type Routed = ((through: LogPosition) => void) | undefined;

interface RoutingParts {
  readonly router: ShapeRouter;
  readonly routed: Routed;
  readonly restsAt: ShapeRouting['restsAt'];
}

function routing(storage: Storage, access: LogAccess, { router, routed, restsAt }: RoutingParts): ShapeRouting {
  const { filters } = access;
  return {
    add: (handle) => {
      const { definition, dependsOn } = shapeLogOf(storage, handle);
      router.add(handle, definition, filters.of(definition), dependsOn);
    },
    remove: (handle) => router.remove(handle),
    begin: (block) => {
      routed?.(block.through);
      return router.begin(block);
    },
    step: () => router.step(),
    shapesOn: (layoutIds) => router.shapesOn(layoutIds),
    positionOf: (handle) => storage.shapes.get(handle)?.position,
    restsAt,
    // Definitions and layouts never change: a copy reads them where its original does.
    clone: () => routing(storage, access, { router: router.clone(), routed: undefined, restsAt }),
  };
}

/** @param columns as `followedWord` has them. */
function memberForm(shapeLog: ShapeLog | undefined, columns: string): MemberForm {
  const equalTexts = followedColumns(columns).map(({ name, casts }) => {
    return shapeLog === undefined ? undefined : equalText(typeOidOf(shapeLog, name), casts);
  });
  return new MemberForm(equalTexts, isByParts(columns));
}

function typeOidOf({ definition: { columns, reads } }: ShapeLog, column: string): number {
  const layout = columns.includes(column) ? reads.find(({ name }) => name === column) : undefined;
  invariant(layout !== undefined, `a Materializer keeps a column that its shape selects, not ${column}`);
  return layout.typeOid;
}
