/** The production tables of shapes that depend on each other, over a world that can be copied. */
import { ConsumerLog } from '../../../src/actors/consumer/consumer-log.ts';
import type { ConsumerPorts } from '../../../src/actors/consumer/consumer-ports.ts';
import type { VersionedValues } from '../../../src/shapes/versioned-values.ts';
import { LinkValues } from '../../../src/actors/link-values.ts';
import { MemberForm } from '../../../src/actors/member-form.ts';
import { LogProgress, type PositionKeeper, type ProgressChange } from '../../../src/actors/collector/log-progress.ts';
import type { MaterializerPorts } from '../../../src/actors/materializer-ports.ts';
import { RequestBacklog } from '../../../src/actors/request-backlog.ts';
import { RouterTable, type LoadedBlock, type ShapeRouting } from '../../../src/actors/collector/router-table.ts';
import { Subscribers } from '../../../src/actors/subscribers.ts';
import type { Fork } from '../../../src/base/fork.ts';
import { invariant } from '../../../src/base/invariant.ts';
import { LSN_ZERO } from '../../../src/model/lsn.ts';
import type { Handle } from '../../../src/model/shape.ts';
import type { Message, Pid, Table } from '../../../src/otp/process.ts';
import { oldestView } from '../../../src/shapes/oldest-view.ts';
import { ShapeRouter } from '../../../src/shapes/shape-router.ts';
import { WorldFork } from '../checker/world-fork.ts';
import { SharedValues } from '../shared-values.ts';
import { ModelDeliveries, type DeliveryOwner } from '../hand-over/model-deliveries.ts';
import type { SpliceModel } from './splice-model.ts';
import { shapeIn } from './splice-setting.ts';
import type { KeeperPlan } from './splice-shapes.ts';

type Tables = Readonly<Record<string, Table>>;

export function collectorTables(self: Pid, world: SpliceModel): Tables {
  return { router: routerTable(self, world, 'collector'), progress: new ToldProgress(world, new LogProgress(keeperOver(world))) };
}

export function catchUpTables(self: Pid, world: SpliceModel): Tables {
  return { router: routerTable(self, world, 'catchUp') };
}

/** What a control exchanges of what a Consumer's table reaches. */
export type PortsChange = (ports: ConsumerPorts, world: SpliceModel) => ConsumerPorts;

export function consumerTables(handle: Handle, change: PortsChange = (ports) => ports): (self: Pid, world: SpliceModel) => Tables {
  return (self, world) => {
    world.noteBegin(handle);
    const log = new ConsumerLog(consumerPorts(handle, self, world, change));
    return { log, materializers: new Subscribers(), awaitingStart: new RequestBacklog() };
  };
}

/** Each move is a reason to look who needs those before it. */
const BOUNDS = { valuesMax: 100, keptMovesMin: 1 };

/** @param oldest how far back the values are kept. */
export function materializerTables(self: Pid, world: SpliceModel, oldest = oldestViewIn): Tables {
  world.beginMaterializer(self);
  const { column } = world.planOf(self);
  world.values.set(self, new LinkValues(column, materializerPorts(self, world, oldest), new MemberForm([(text) => text]), BOUNDS));
  return { values: new SharedValues(world, self), dependants: new Subscribers(), awaitingValues: new RequestBacklog() };
}

/** What the collector's table says of itself lies in the world, too. */
class ToldProgress implements Table<ProgressChange> {
  constructor(
    private readonly world: SpliceModel,
    private readonly progress: LogProgress,
  ) {}

  apply(change: ProgressChange): Message | undefined {
    const told = this.progress.apply(change);
    this.world.noteProcessed(this.progress.lastProcessedLsn ?? LSN_ZERO);
    return told;
  }

  clone(fork: Fork): ToldProgress {
    return new ToldProgress(WorldFork.worldOf(fork), this.progress.clone(fork));
  }

  key(): string {
    return this.progress.key();
  }
}

function routerTable(self: Pid, world: SpliceModel, owner: DeliveryOwner): RouterTable {
  const router = new ShapeRouter((id) => world.log.layoutOf(id), world.members);
  return new RouterTable(routingOver(world, router), slotOver(world, self), new ModelDeliveries(world, owner));
}

function routingOver({ setting, shapes }: SpliceModel, router: ShapeRouter): ShapeRouting {
  return {
    add(handle) {
      const { definition, where, dependsOn } = shapeIn(setting, handle);
      router.add(handle, definition, where, dependsOn);
    },
    remove: router.remove.bind(router),
    begin: router.begin.bind(router),
    step: router.step.bind(router),
    shapesOn: router.shapesOn.bind(router),
    positionOf: (handle) => shapes.get(handle)?.position,
    restsAt: () => undefined,
    clone(fork) {
      const world = WorldFork.worldOf<SpliceModel>(fork);
      return routingOver(world, router.clone(world.members));
    },
  };
}

function slotOver(world: SpliceModel, owner: Pid): LoadedBlock {
  return {
    take: (range) => world.takeLoaded(owner, range),
    close: () => void world.loaded.delete(owner),
    clone: (fork) => slotOver(WorldFork.worldOf(fork), owner),
  };
}

function movedOver(world: SpliceModel, owner: Pid): ConsumerPorts['movedRows'] {
  return {
    take: () => world.takeMoved(owner),
    close: () => void world.movedRows.delete(owner),
    clone: (fork) => movedOver(WorldFork.worldOf(fork), owner),
  };
}

function keeperOver({ shapes }: SpliceModel): PositionKeeper {
  return {
    advance: (position) => shapes.advance(position),
    isHeldUp: false,
    get: (handle) => shapes.get(handle),
    clone: (fork) => keeperOver(WorldFork.worldOf(fork)),
  };
}

function materializerPorts(self: Pid, world: SpliceModel, oldest: typeof oldestViewIn): MaterializerPorts {
  return {
    take: (range) => world.takeHistory(self, range),
    close: () => world.endMaterializer(self),
    hasPrimaryKey: true,
    isPartitioned: () => false,
    oldestView: () => oldest(world, world.planOf(self)),
    dependantsBefore: () => [],
    listing: world.listing(world.planOf(self)),
    clone: (fork) => materializerPorts(self, WorldFork.worldOf(fork), oldest),
  };
}

function oldestViewIn({ setting, shapes }: SpliceModel, { follows, column }: KeeperPlan): ReturnType<typeof oldestView> {
  const stored = setting.shapes.flatMap(({ handle, definition, dependsOn }) => {
    const { storedViews } = shapes.get(handle) ?? {};
    return storedViews === undefined ? [] : [{ handle, definition, dependsOn, storedViews }];
  });
  return oldestView(stored, follows, column);
}

function consumerPorts(handle: Handle, self: Pid, world: SpliceModel, change: PortsChange): ConsumerPorts {
  const shapeLog = world.shape(handle);
  invariant(shapeLog !== undefined, 'a shape outlives its Consumer');
  const ports: ConsumerPorts = {
    shapeLog,
    lines: shapeIn(world.setting, handle).lines,
    loaded: slotOver(world, self),
    movedRows: movedOver(world, self),
    valuesOf: (materializer): VersionedValues | undefined => world.values.get(materializer),
    delivery: (id) => world.deliveries.get(id),
    layoutOf: (id) => world.log.layoutOf(id),
    takenByAll: () => world.shapes.position,
    processedLsn: () => world.is.processedLsn,
    announce: () => undefined,
    clone: (fork) => consumerPorts(handle, self, WorldFork.worldOf(fork), change),
  };
  return change(ports, world);
}
