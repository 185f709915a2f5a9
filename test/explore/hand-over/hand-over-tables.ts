/** The production tables of a hand-over, over a world that can be copied. */
import { ConsumerLog } from '../../../src/actors/consumer/consumer-log.ts';
import type { ConsumerPorts } from '../../../src/actors/consumer/consumer-ports.ts';
import { LinkValues } from '../../../src/actors/link-values.ts';
import { LogProgress, type PositionKeeper } from '../../../src/actors/collector/log-progress.ts';
import type { MaterializerPorts } from '../../../src/actors/materializer-ports.ts';
import { RequestBacklog } from '../../../src/actors/request-backlog.ts';
import { RouterTable, type LoadedBlock, type ShapeRouting } from '../../../src/actors/collector/router-table.ts';
import { Subscribers } from '../../../src/actors/subscribers.ts';
import { invariant } from '../../../src/base/invariant.ts';
import { LOG_START } from '../../../src/model/log-position.ts';
import { LSN_ZERO } from '../../../src/model/lsn.ts';
import type { Pid, Table } from '../../../src/otp/process.ts';
import { ChangeConverter } from '../../../src/shapes/change-converter.ts';
import { MemberIndex } from '../../../src/shapes/member-index.ts';
import { ShapeRouter } from '../../../src/shapes/shape-router.ts';
import { WorldFork } from '../checker/world-fork.ts';
import { COLUMN, HANDLE, type HandOverModel } from './hand-over-model.ts';
import { ModelDeliveries, type DeliveryOwner } from './model-deliveries.ts';
import { noDependencies } from '../../support/actors/no-dependencies.ts';

type Tables = Readonly<Record<string, Table>>;

export function collectorTables(self: Pid, world: HandOverModel): Tables {
  return { router: routerTable(self, world, 'collector'), progress: new LogProgress(keeperOver(world)) };
}

export function catchUpTables(self: Pid, world: HandOverModel): Tables {
  return { router: routerTable(self, world, 'catchUp') };
}

export function consumerTables(self: Pid, world: HandOverModel): Tables {
  return { log: new ConsumerLog(consumerPorts(self, world)), materializers: new Subscribers(), awaitingStart: new RequestBacklog() };
}

export function materializerTables(self: Pid, world: HandOverModel): Tables {
  world.beginMaterializer(self);
  return {
    values: new LinkValues(COLUMN, historyOver(self, world)),
    dependants: new Subscribers(),
    awaitingValues: new RequestBacklog(),
  };
}

function routerTable(self: Pid, world: HandOverModel, owner: DeliveryOwner): RouterTable {
  const router = new ShapeRouter((id) => world.log.layoutOf(id));
  return new RouterTable(routingOver(world, router), slotOver(world, self), new ModelDeliveries(world, owner));
}

function routingOver({ definition, shapes }: HandOverModel, router: ShapeRouter): ShapeRouting {
  return {
    add: (handle) => router.add(handle, definition, undefined),
    remove: router.remove.bind(router),
    begin: router.begin.bind(router),
    step: router.step.bind(router),
    shapesOn: router.shapesOn.bind(router),
    positionOf: (handle) => shapes.get(handle)?.position,
    // However short the rest: who has just taken something may be told to sleep.
    restsAt: (handle) => (shapes.get(handle)?.restsAt === undefined ? undefined : LOG_START),
    clone: (fork) => routingOver(WorldFork.worldOf(fork), router.clone()),
  };
}

function slotOver(world: HandOverModel, owner: Pid): LoadedBlock {
  return {
    take: (range) => world.takeLoaded(owner, range),
    close: () => void world.loaded.delete(owner),
    clone: (fork) => slotOver(WorldFork.worldOf(fork), owner),
  };
}

function keeperOver({ shapes }: HandOverModel): PositionKeeper {
  return {
    advance: (position) => shapes.advance(position),
    isHeldUp: false,
    get: (handle) => shapes.get(handle),
    clone: (fork) => keeperOver(WorldFork.worldOf(fork)),
  };
}

function historyOver(self: Pid, world: HandOverModel): MaterializerPorts {
  return {
    take: (range) => world.takeHistory(self, range),
    close: () => world.endMaterializer(self),
    oldestView: () => undefined,
    dependantsBefore: () => [],
    hasPrimaryKey: true,
    isPartitioned: () => false,
    listing: new MemberIndex().listing(HANDLE),
    clone: (fork) => historyOver(self, WorldFork.worldOf(fork)),
  };
}

function consumerPorts(self: Pid, world: HandOverModel): ConsumerPorts {
  const { shapeLog, log, definition } = world;
  invariant(shapeLog !== undefined, 'a shape outlives its Consumer');
  const layoutOf = (id: number) => log.layoutOf(id);
  return {
    shapeLog,
    lines: new ChangeConverter(definition, undefined, layoutOf),
    loaded: slotOver(world, self),
    delivery: (id) => world.deliveries.get(id),
    layoutOf,
    takenByAll: () => world.shapes.position,
    processedLsn: () => LSN_ZERO,
    announce: () => undefined,
    ...noDependencies(),
    clone: (fork) => consumerPorts(self, WorldFork.worldOf(fork)),
  };
}
