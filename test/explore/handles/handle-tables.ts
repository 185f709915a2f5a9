/** The production tables of a world of handles, over a world that can be copied. */
import { LogProgress, type PositionKeeper } from '../../../src/actors/collector/log-progress.ts';
import { RouterTable, type LoadedBlock, type ShapeRouting } from '../../../src/actors/collector/router-table.ts';
import { ConsumerLog } from '../../../src/actors/consumer/consumer-log.ts';
import type { ConsumerPorts } from '../../../src/actors/consumer/consumer-ports.ts';
import type { DirectoryPorts } from '../../../src/actors/directory/directory-ports.ts';
import { ShapeDirectory, type DirectoryChange } from '../../../src/actors/directory/shape-directory.ts';
import { LinkValues } from '../../../src/actors/link-values.ts';
import type { MaterializerPorts } from '../../../src/actors/materializer-ports.ts';
import { PublishedRelations, type PublicationPorts } from '../../../src/actors/publication/published-relations.ts';
import { RequestBacklog } from '../../../src/actors/request-backlog.ts';
import { Subscribers } from '../../../src/actors/subscribers.ts';
import type { Fork } from '../../../src/base/fork.ts';
import { invariant, InvariantError } from '../../../src/base/invariant.ts';
import { LOG_START } from '../../../src/model/log-position.ts';
import { LSN_ZERO } from '../../../src/model/lsn.ts';
import type { Handle } from '../../../src/model/shape.ts';
import type { Message, Pid, Table } from '../../../src/otp/process.ts';
import { Deliveries } from '../../../src/shapes/delivery.ts';
import { memberKey, MemberIndex } from '../../../src/shapes/member-index.ts';
import { dependantsBefore, oldestView } from '../../../src/shapes/oldest-view.ts';
import { ShapeRouter } from '../../../src/shapes/shape-router.ts';
import { WorldFork } from '../checker/world-fork.ts';
import { SharedValues } from '../shared-values.ts';
import { noDependencies } from '../../support/actors/no-dependencies.ts';
import type { HandleModel } from './handle-model.ts';
import { COLUMN } from './handle-setting.ts';

type Tables = Readonly<Record<string, Table>>;

/** Exchanges something of what a table reaches. */
export type Exchange<Ports> = (ports: Ports, world: HandleModel) => Ports;

export function cacheTables(world: HandleModel, change: Exchange<DirectoryPorts>): Tables {
  const lotMax = world.setting.rests ? 1 : undefined; // So that others come between two lots.
  world.directory = new ShapeDirectory(directoryPorts(world, change), lotMax);
  return { directory: new SharedDirectory(world) };
}

export function publicationTables(world: HandleModel, change: Exchange<PublicationPorts>): Tables {
  return { relations: new PublishedRelations(publicationPorts(world, change)) };
}

export function collectorTables(world: HandleModel, change: Exchange<ShapeRouting>): Tables {
  const router = new ShapeRouter(() => undefined);
  return {
    router: new RouterTable(routingOver(world, router, change), NO_BLOCKS, new Deliveries()),
    progress: new LogProgress(keeperOver(world)),
  };
}

export function consumerTables(handle: Handle, world: HandleModel): Tables {
  return { log: new ConsumerLog(consumerPorts(handle, world)), materializers: new Subscribers(), awaitingStart: new RequestBacklog() };
}

export function materializerTables(handle: Handle, self: Pid, world: HandleModel): Tables {
  world.history.open(self);
  world.values.set(self, new LinkValues(COLUMN, materializerPorts(handle, self, world)));
  return { values: new SharedValues(world, self), dependants: new Subscribers(), awaitingValues: new RequestBacklog() };
}

/** The directory lies in the world: requests read it there. Only its owner changes it, and its key names the calls that wait in it. */
class SharedDirectory implements Table<DirectoryChange> {
  constructor(private readonly world: HandleModel) {}

  apply(change: DirectoryChange): Message | undefined {
    return this.world.theDirectory.apply(change);
  }

  clone(fork: Fork): SharedDirectory {
    return new SharedDirectory(WorldFork.worldOf(fork));
  }

  key(): string {
    return this.world.directory?.key() ?? '';
  }

  close(): void {
    this.world.directory = undefined;
  }
}

function directoryPorts(world: HandleModel, change: Exchange<DirectoryPorts>): DirectoryPorts {
  const { shapes } = world;
  const ports: DirectoryPorts = {
    shapeLogs: {
      create: (...asked) => world.create(...asked),
      get: (handle) => shapes.get(handle),
      all: () => shapes.all(),
      delete: (handle) => shapes.delete(handle),
    },
    clock: { epochMicros: () => world.nextNumber() },
    faultOf: () => undefined,
    mayRest: (handle) => world.setting.rests && shapes.get(handle)?.restsAt !== undefined,
    rotated: (handle) => world.noteRetired(handle),
    clone: (fork) => directoryPorts(WorldFork.worldOf(fork), change),
  };
  return change(ports, world);
}

function publicationPorts(world: HandleModel, change: Exchange<PublicationPorts>): PublicationPorts {
  const ports: PublicationPorts = {
    lost: () => {},
    isStored: (handle) => world.shapes.get(handle) !== undefined,
    clone: (fork) => publicationPorts(WorldFork.worldOf(fork), change),
  };
  return change(ports, world);
}

const NO_BLOCKS: LoadedBlock = {
  take() {
    throw new InvariantError('nothing is in the log');
  },
  close: () => {},
  clone: () => NO_BLOCKS,
};

function routingOver(world: HandleModel, router: ShapeRouter, change: Exchange<ShapeRouting>): ShapeRouting {
  const { setting, shapes } = world;
  const routing: ShapeRouting = {
    add(handle) {
      const shape = shapes.get(handle);
      invariant(shape !== undefined, 'what is routed is stored');
      router.add(handle, shape.definition, setting.filters.of(shape.definition), shape.dependsOn);
    },
    remove: router.remove.bind(router),
    begin: router.begin.bind(router),
    step: router.step.bind(router),
    shapesOn: router.shapesOn.bind(router),
    positionOf: (handle) => shapes.get(handle)?.position,
    restsAt(handle) {
      const mayRest = world.directory?.isNeeded(handle) === false && shapes.get(handle)?.restsAt !== undefined;
      return mayRest ? LOG_START : undefined; // However short the rest.
    },
    clone: (fork) => routingOver(WorldFork.worldOf(fork), router.clone(), change),
  };
  return change(routing, world);
}

function keeperOver({ shapes }: HandleModel): PositionKeeper {
  return {
    advance: (position) => shapes.advance(position),
    isHeldUp: false,
    get: (handle) => shapes.get(handle),
    clone: (fork) => keeperOver(WorldFork.worldOf(fork)),
  };
}

function consumerPorts(handle: Handle, world: HandleModel): ConsumerPorts {
  const { setting, shapes } = world;
  const shapeLog = shapes.get(handle);
  invariant(shapeLog !== undefined, 'a shape outlives its Consumer');
  return {
    shapeLog,
    lines: setting.lines[world.nameOf(shapeLog.definition)],
    loaded: NO_BLOCKS,
    ...noDependencies(),
    valuesOf: (materializer) => world.values.get(materializer),
    delivery: () => undefined,
    layoutOf: () => undefined,
    takenByAll: () => shapes.position,
    processedLsn: () => LSN_ZERO,
    announce: () => {},
    clone: (fork) => consumerPorts(handle, WorldFork.worldOf(fork)),
  };
}

function materializerPorts(handle: Handle, self: Pid, world: HandleModel): MaterializerPorts {
  return {
    take: (range) => world.takeHistory(self, range),
    close: () => world.closeHistory(self),
    hasPrimaryKey: true,
    isPartitioned: () => false,
    oldestView: () => oldestView(world.shapes.all(), handle, COLUMN),
    dependantsBefore: (version) => dependantsBefore(version, world.shapes.all(), handle, COLUMN),
    listing: new MemberIndex().listing(memberKey(handle, COLUMN)),
    clone: (fork) => materializerPorts(handle, self, WorldFork.worldOf(fork)),
  };
}
