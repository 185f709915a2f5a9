/**
 * HandleSystem: the life of a handle. The shape cache with its directory, the publication manager, the collector, and for each handle
 * its Consumer, Snapshotter and Materializer; requests that ask for a shape, follow one, or delete one. When requests come, who is
 * killed, and what ends a shape, is anybody's choice.
 *
 * Shape cache, publication manager and collector are not killed alone: their supervisor ends all together, and begins anew.
 */
import type { AnyStateMachine } from 'xstate';
import type { ShapeRouting } from '../../../src/actors/collector/router-table.ts';
import { shapeLogCollector } from '../../../src/actors/collector/shape-log-collector.ts';
import { consumer } from '../../../src/actors/consumer/consumer.ts';
import { shapeCache } from '../../../src/actors/directory/shape-cache.ts';
import type { DirectoryPorts } from '../../../src/actors/directory/directory-ports.ts';
import { materializer } from '../../../src/actors/materializer.ts';
import type { PublicationPorts } from '../../../src/actors/publication/published-relations.ts';
import { publicationManager } from '../../../src/actors/publication/publication-manager.ts';
import { consumerOf, materializerOf } from '../../../src/actors/shape-processes.ts';
import { snapshotter } from '../../../src/actors/snapshotter.ts';
import type { Handle } from '../../../src/model/shape.ts';
import type { Message, Name } from '../../../src/otp/process.ts';
import type { Bounds, Happening, Port, Role, System, View } from '../checker/system.ts';
import { HandleModel, type Asked } from './handle-model.ts';
import { handlePorts, roleOf } from './handle-ports.ts';
import { violationOf } from './handle-properties.ts';
import { COLUMN, handleAt, type HandleSetting, type ShapeName } from './handle-setting.ts';
import {
  cacheTables, collectorTables, consumerTables, materializerTables, publicationTables, type Exchange,
} from './handle-tables.ts';
import { answerOf } from './request-answer.ts';
import { requestWay } from './request-way.ts';
import { requester } from './requester.ts';

/** What may end a shape, or a Consumer, from outside. */
export type Fate =
  /** A client deletes it. */
  | 'deletion'
  /** Its Consumer loses somebody whom it needs. */
  | 'drain'
  /** Its table is truncated. */
  | 'truncation'
  /** The query of its snapshot fails. */
  | 'refusal'
  /** Something is to be taken for it: where it has a Consumer, that is left behind, and returns. */
  | 'touch'
  /** Somebody takes its table out of the publication. */
  | 'loss'
  /** The power goes, and the service begins anew. */
  | 'crash';

export interface HandleBounds extends Bounds {
  /** What is live when the search begins, asked for in this order. */
  readonly live?: readonly ShapeName[];
  /** What each request asks for. */
  readonly asks: readonly ShapeName[];
  /** Shapes sleep when nothing touches them: that takes a time-out. */
  readonly rests?: true;
  /** How often each may happen. */
  readonly fates: Readonly<Partial<Record<Fate, number>>>;
  /**
   * Who takes a step of its own to answer. All others know their answers when they are asked, and only the answers come late: what
   * that leaves out is what happens in between to what they look at.
   */
  readonly late?: readonly Name[];
  /** Who may be killed. A client that goes away kills its request. */
  readonly victims: 'shapes' | 'requests';
}

export interface HandleMachines {
  readonly shapeCache: AnyStateMachine;
  readonly consumer: AnyStateMachine;
  readonly snapshotter: AnyStateMachine;
  readonly materializer: AnyStateMachine;
}

/** What a control exchanges: machines, and what their tables reach. */
export interface HandleChanges extends Partial<HandleMachines> {
  readonly directoryPorts?: Exchange<DirectoryPorts>;
  readonly publicationPorts?: Exchange<PublicationPorts>;
  readonly routing?: Exchange<ShapeRouting>;
}

const PRODUCTION: HandleMachines = { shapeCache, consumer, snapshotter, materializer };
const CHECK_EVERY_MS = 60_000;
const REST_AFTER_MS = 60_000;
const DELETER = 'deleter';

type Roles = readonly Role<HandleModel>[];
type Happenings = readonly Happening<HandleModel>[];
type Look = View<HandleModel>;

export function handleSystem(setting: HandleSetting, bounds: HandleBounds, changes: HandleChanges = {}): System<HandleModel> {
  const machines = { ...PRODUCTION, ...changes };
  const handles = handlesOf(setting, bounds);
  const children = handles.flatMap((handle) => childRoles(handle, machines));
  const founders = (bounds.live ?? []).map((name, index) => ({ role: `founder-${index + 1}`, name }));
  const readers = bounds.asks.map((name, index) => ({ role: `reader-${index + 1}`, name }));
  const requests = [...founders, ...readers].map(({ role }) => requestRole(role));
  const roles = [...rootRoles(machines, changes), ...children, ...requests, requestRole(DELETER)];
  const names = roles.map(({ name }) => name);
  const mortal = (bounds.victims === 'shapes' ? children : requests).map(({ name }) => name);
  return {
    world: new HandleModel({ ...setting, rests: bounds.rests === true }),
    roles,
    ports: portsOf(bounds),
    starts: ['collector', 'publication'],
    opening: [...BEGINS, ...founders.map(({ role, name }) => comes(role, { purpose: 'read', name }))],
    victims: mortal,
    bounds,
    undertakers: [{ port: '@consumers', watches: children.map(({ name }) => name) }],
    happenings: (view) => [...ofReaders(view, founders, readers), ...ofWaking(view), ...ofFates(view, bounds, handles)],
    violation: (view, isQuiet) => violationOf(view, isQuiet, names),
  };
}

/** As many as there can be: each end of a shape makes room for one more, with the one that it depends on. */
function handlesOf(setting: HandleSetting, { asks, live = [], kills, fates }: HandleBounds): readonly Handle[] {
  const ends = kills + Object.values(fates).reduce((sum, count) => sum + count, 0);
  const count = ([...asks, ...live].includes('outer') ? 2 : 1) * (ends + 1);
  return Array.from({ length: count }, (_, index) => handleAt(setting, index + 1));
}

/** When those are there whom it tells. */
const BEGINS: Happenings = [{ name: 'the shape cache begins', start: { role: 'cache' } }];

function portsOf({ late = [] }: HandleBounds): readonly Port<HandleModel>[] {
  return handlePorts.map((port) => (late.includes(port.name) ? { ...port, computes: 'delivered' } : port));
}

// --- roles

function rootRoles(machines: HandleMachines, { directoryPorts = same, publicationPorts = same, routing = same }: HandleChanges): Roles {
  return [
    {
      name: 'cache',
      machine: machines.shapeCache,
      registered: '@shape-cache',
      input: () => ({}),
      tables: (_, world) => cacheTables(world, directoryPorts),
    },
    {
      name: 'publication',
      machine: publicationManager,
      registered: '@publication-manager',
      input: () => ({ checkEveryMs: CHECK_EVERY_MS }),
      tables: (_, world) => publicationTables(world, publicationPorts),
    },
    {
      name: 'collector',
      machine: shapeLogCollector,
      registered: '@shape-log-collector',
      input: ({ shapes, setting }) => ({ position: shapes.position, ...(setting.rests ? { restAfterMs: REST_AFTER_MS } : {}) }),
      tables: (_, world) => collectorTables(world, routing),
    },
  ];
}

function same<Ports>(ports: Ports): Ports {
  return ports;
}

function childRoles(handle: Handle, machines: HandleMachines): Roles {
  return [
    {
      name: roleOf('consumer', handle),
      machine: machines.consumer,
      registered: consumerOf(handle),
      input({ shapes }, args) {
        const shape = shapes.get(handle);
        return { position: shape?.position, end: shape?.end, ...args };
      },
      tables: (_, world) => consumerTables(handle, world),
    },
    {
      name: roleOf('snapshotter', handle),
      machine: machines.snapshotter,
      registered: `@${roleOf('snapshotter', handle)}`,
      input: (_, args) => args,
      tables: () => ({}),
    },
    {
      name: roleOf('materializer', handle),
      machine: machines.materializer,
      registered: materializerOf(handle, COLUMN),
      input: (_, args) => args,
      tables: (self, world) => materializerTables(handle, self, world),
    },
  ];
}

function requestRole(name: string): Role<HandleModel> {
  return {
    name,
    machine: requester,
    registered: `@${name}`,
    input: () => ({}),
    tables: (self, world) => ({ way: requestWay(name, self, world) }),
  };
}

// --- what happens

interface Reader {
  readonly role: string;
  readonly name: ShapeName;
}

/**
 * Once the service can be read. Of requests for the same shape the first comes first, and one that comes later may know the handle that
 * an earlier one was given.
 */
function ofReaders(view: Look, founders: readonly Reader[], readers: readonly Reader[]): Happenings {
  if (!isReadable(view)) return [];
  const isStillAway = ({ role }: Reader): boolean => view.world.is.asked[role] === undefined;
  return readers.flatMap((reader, index) => {
    const { role, name } = reader;
    const earlier = [...founders, ...readers.slice(0, index)].filter((other) => other.name === name);
    if (!isStillAway(reader) || earlier.some(isStillAway)) return [];
    const known = new Set(earlier.flatMap((other) => handleGivenTo(view, other) ?? []));
    return [comes(role, { purpose: 'read', name }), ...Array.from(known, (handle) => comes(role, { purpose: 'follow', name, handle }))];
  });
}

function comes(role: string, asked: Asked): Happening<HandleModel> {
  return {
    name: `${role} comes to ${asked.purpose} the ${asked.name} shape${asked.handle === undefined ? '' : ` by ${asked.handle}`}`,
    toWorld: (world) => world.noteAsked(role, asked),
    start: { role },
  };
}

function handleGivenTo(view: Look, { role }: Reader): Handle | undefined {
  const answer = answerOf(view.process(role));
  return answer?.status === 200 ? answer.handle : undefined;
}

/** Who waits for a log hears at once that it is over. */
function ofWaking({ world }: Look): Happenings {
  return world.is.woken.map((reader) => ({
    name: `${reader} is woken`,
    toWorld: (copy) => copy.leave(reader),
    sends: [{ from: '@listeners', to: reader, event: { type: 'log.rotated' } }],
  }));
}

function ofFates(view: Look, { asks, live = [], fates }: HandleBounds, handles: readonly Handle[]): Happenings {
  const names: readonly ShapeName[] = [...asks, ...live].includes('outer') ? ['inner', 'outer'] : ['inner'];
  const stored = handles.filter((handle) => view.world.shapes.get(handle)?.restsAt !== undefined);
  const running = handles.filter((handle) => view.process(roleOf('consumer', handle)).status === 'alive');
  const each: Readonly<Record<Fate, () => Happenings>> = {
    deletion: () => (isReadable(view) ? names.map((name) => comes(DELETER, { purpose: 'delete', name })) : []),
    drain: () => running.map((handle) => told('drain', handle, { type: 'stop', cause: 'drain' }, (world) => world.noteDrain(handle))),
    truncation: () => running.filter((handle) => isLive(view, handle)).map((handle) => {
      return told('truncation', handle, TRUNCATED, (world) => world.strike([handle]));
    }),
    touch: () => (isMoving(view) ? stored : []).map((handle) => ({
      name: `touch of ${handle}`,
      sends: [{ from: '@catch-up-collector', to: '@shape-log-collector', event: { type: 'leaveBehind', handles: [handle] } }],
    })),
    refusal: () => [{ name: 'the next query is refused', toWorld: (world) => world.refuseQuery() }],
    loss: () => names.map((name) => ({ name: `the table of the ${name} shape is taken out`, toWorld: (world) => world.takeOut(name) })),
    crash: () => [{ name: 'the power goes', isCrash: true, toWorld: (world) => world.crash(), behind: BEGINS }],
  };
  return FATES.flatMap((fate) => {
    const times = view.happened.filter((happened) => happened.startsWith(`${fate}:`)).length;
    if (times >= (fates[fate] ?? 0)) return [];
    return each[fate]().map((happening) => ({ ...happening, name: `${fate}: ${happening.name}`, isRemembered: true }));
  });
}

export const FATES = ['deletion', 'drain', 'truncation', 'refusal', 'touch', 'loss', 'crash'] as const;
const TRUNCATED = { type: 'log.ended', cause: { delete: 'truncate', xid: 700, lsn: '10' } };

function told(what: string, handle: Handle, event: Message, toWorld: (world: HandleModel) => void): Happening<HandleModel> {
  return { name: `${what} of ${handle}`, toWorld, sends: [{ from: '@world', to: consumerOf(handle), event }] };
}

/** What is stored can be found, and read. */
function isReadable(view: Look): boolean {
  const cache = view.process('cache');
  return cache.status === 'alive' && (cache.snapshot.value === 'restoring' || cache.snapshot.value === 'serving');
}

/** The collector knows all that is stored. */
function isMoving(view: Look): boolean {
  const collector = view.process('collector');
  return collector.status === 'alive' && collector.snapshot.value !== 'restoring';
}

function isLive(view: Look, handle: Handle): boolean {
  const local = view.process(roleOf('consumer', handle));
  return local.status === 'alive' && JSON.stringify(local.snapshot.value).includes('"ingest":"live"');
}
