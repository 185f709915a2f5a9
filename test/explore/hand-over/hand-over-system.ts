/**
 * HandOverSystem: Consumer, Snapshotter and Materializer of one shape, the two collectors, and a writer. It begins with an
 * empty log and a collector that is ready. When the shape is made, what a writer does and who dies is anybody's choice.
 *
 * The collectors are not killed: their supervisor ends whatever depends on them together with them, and begins all anew.
 */
import type { AnyStateMachine } from 'xstate';
import type { nextLife as productionLife } from '../../../src/actors/directory/handle-life.ts';
import { consumer } from '../../../src/actors/consumer/consumer.ts';
import { materializer } from '../../../src/actors/materializer.ts';
import { catchUpCollector } from '../../../src/actors/collector/catch-up-collector.ts';
import { shapeLogCollector } from '../../../src/actors/collector/shape-log-collector.ts';
import { materializerOf } from '../../../src/actors/shape-processes.ts';
import { snapshotter } from '../../../src/actors/snapshotter.ts';
import type { Lsn } from '../../../src/model/lsn.ts';
import type { Xid } from '../../../src/model/pg-snapshot.ts';
import type { RowChange } from '../../support/actors/changes.ts';
import type { Machines } from '../../support/hand-over/hand-over-world.ts';
import { shapeOf } from '../../support/shapes.ts';
import type { Bounds, Happening, Role, Start, System, View } from '../checker/system.ts';
import { askedByCollectors, askedOfReaders } from './asked-at-once.ts';
import { COLUMN, CONSUMER, FIRST_XID, HANDLE, HandOverModel } from './hand-over-model.ts';
import { handOverPorts } from './hand-over-ports.ts';
import { violationOf } from './hand-over-properties.ts';
import { catchUpTables, collectorTables, consumerTables, materializerTables } from './hand-over-tables.ts';
import { isKilledHere } from './late-kills.ts';
import { ScriptedLog, type ReadSizes } from './scripted-log.ts';
import { takenByCollector, takenByConsumer, takenByMaterializer, takenBySnapshotter } from './taken-at-once.ts';

const LAYOUT = {
  oid: 4711,
  schema: 'public',
  name: 'items',
  columns: [
    { name: 'id', typeOid: 23, typeMod: -1 },
    { name: COLUMN, typeOid: 25, typeMod: -1 },
  ],
};
const [DRAIN, RETURN, FOLLOW_AGAIN] = ['drain', 'the Consumer returns', 'the Materializer returns'] as const;
const LSN_STEP = 10;
/** Bytes of changes: more than one row has, and less than two. A block ends behind each transaction. */
const A_ROW = { fillBytes: 1, wholeBytesMax: 60 };
export const ROW_BY_ROW: ReadSizes = { common: A_ROW, own: A_ROW };

export interface HandOverBounds extends Bounds {
  /** The first ones of the script. */
  readonly transactions: number;
  /** How often the Consumer is drained, and begins again. */
  readonly restarts: number;
  /** The shape sleeps when nothing touches it: that takes a time-out. */
  readonly rests?: true;
  /** Who may be killed; any of them where it is left out. */
  readonly victims?: readonly Victim[];
}

export const VICTIMS = ['materializer', 'consumer', 'snapshotter'] as const;
export type Victim = (typeof VICTIMS)[number];

/** An insert, another one in which a row of two values is one too many for a block, an update, a delete. */
export const SCRIPT: readonly (readonly RowChange[])[] = [
  [{ kind: 'insert', new: ['1', 'a'] }],
  [{ kind: 'insert', new: ['2', 'a'] }, { kind: 'insert', new: ['3', 'b'] }],
  [{ kind: 'update', old: ['1', 'a'], new: ['1', 'b'] }],
  [{ kind: 'delete', old: ['2', 'a'] }],
];

const PRODUCTION: Machines = { consumer, materializer };

/** What a control exchanges of those around a shape. */
export interface HandOverChanges {
  readonly collector?: AnyStateMachine;
  /** What an event makes of the shape's life. */
  readonly nextLife?: typeof productionLife;
}

export async function handOverSystem(
  bounds: HandOverBounds,
  machines: Machines = PRODUCTION,
  { collector = shapeLogCollector, nextLife }: HandOverChanges = {},
): Promise<System<HandOverModel>> {
  const transactions = SCRIPT.slice(0, bounds.transactions).map((changes, index) => ({
    xid: (FIRST_XID + index) as Xid,
    lsn: String((index + 1) * LSN_STEP) as Lsn,
    changes,
  }));
  const log = await ScriptedLog.make([LAYOUT], transactions, ROW_BY_ROW);
  return {
    world: new HandOverModel(log, shapeOf({}, { id: 1, ...LAYOUT }), undefined, undefined, undefined, undefined, undefined, nextLife),
    roles: rolesOf({ ...machines, collector }, bounds),
    ports: handOverPorts,
    starts: ['collector', 'catchUp'],
    opening: [{ name: 'ready', sends: [{ from: '@supervisor', to: '@shape-log-collector', event: { type: 'shapesRestored' } }] }],
    victims: bounds.victims ?? VICTIMS,
    isKilledHere,
    bounds,
    undertakers: [{ port: '@shape-cache', watches: ['consumer'] }],
    happenings: (view) => happeningsOf(view, bounds),
    violation: violationOf,
  };
}

const REST_AFTER_MS = 60_000;

function rolesOf(machines: Machines & { readonly collector: AnyStateMachine }, { rests }: HandOverBounds): readonly Role<HandOverModel>[] {
  return [
    {
      name: 'collector',
      machine: machines.collector,
      registered: '@shape-log-collector',
      input: ({ shapes }) => ({ position: shapes.position, ...(rests === true ? { restAfterMs: REST_AFTER_MS } : {}) }),
      tables: collectorTables,
      takesAtOnce: takenByCollector,
      asksAtOnce: askedByCollectors,
    },
    {
      name: 'catchUp',
      machine: catchUpCollector,
      registered: '@catch-up-collector',
      input: () => ({}),
      tables: catchUpTables,
      asksAtOnce: askedByCollectors,
    },
    {
      name: 'consumer',
      machine: machines.consumer,
      registered: CONSUMER,
      input: ({ shapeLog }) => ({
        handle: HANDLE,
        mode: shapeLog?.snapshot.state === 'complete' ? 'restore' : 'create',
        position: shapeLog?.position,
        end: shapeLog?.end,
      }),
      tables: consumerTables,
      takesAtOnce: takenByConsumer,
      asksAtOnce: askedOfReaders,
    },
    {
      name: 'snapshotter',
      machine: snapshotter,
      registered: '@snapshotter',
      input: ({ definition: { relation } }, args) => ({ relation, ...args }),
      tables: () => ({}),
      takesAtOnce: takenBySnapshotter,
    },
    {
      name: 'materializer',
      machine: machines.materializer,
      registered: materializerOf(HANDLE, COLUMN),
      input: (_, args) => ({ handle: HANDLE, column: COLUMN, dependant: '@shape-log-collector', ...args }),
      tables: materializerTables,
      takesAtOnce: takenByMaterializer,
      asksAtOnce: askedOfReaders,
    },
  ];
}

type Happenings = readonly Happening<HandOverModel>[];

function happeningsOf(view: View<HandOverModel>, { restarts }: HandOverBounds): Happenings {
  return [...ofWriter(view), ...ofLife(view), ...(restarts > 0 ? ofRestart(view, restarts) : [])];
}

function ofWriter({ world }: View<HandOverModel>): Happenings {
  const { committed } = world.is;
  const told = { type: 'log.extended', ...world.log.endOf(committed + (world.mayCommit ? 1 : 0)) };
  const commit: Happening<HandOverModel> = {
    name: `commit ${committed + 1}`,
    toWorld: (copy) => copy.commit(),
    sends: [{ from: '@stream', to: '@shape-log-collector', event: told }],
  };
  const shows = world.hidden.map((index) => ({ name: `show ${index + 1}`, toWorld: (copy: HandOverModel) => copy.show(index) }));
  return world.mayCommit ? [commit, ...shows] : shows;
}

/** The shape is made, and somebody wants its values when its Consumer has begun, or already ended. */
function ofLife(view: View<HandOverModel>): Happenings {
  const { happened } = view;
  const create: Happening<HandOverModel> = {
    name: 'the shape is made',
    toWorld: ({ shapes, definition }) => void shapes.create(HANDLE, definition),
    start: { role: 'consumer' },
    isRemembered: true,
  };
  if (!happened.includes(create.name)) return [create];
  const follow = { name: 'somebody follows it', start: followerOf(view), isRemembered: true };
  return happened.includes(follow.name) || view.process('consumer').status === 'unborn' ? [] : [follow];
}

/**
 * A Materializer follows one Consumer, by its pid. By the name it would take the next one for the one whose death it is told
 * of, and their deaths for one another.
 */
function followerOf(view: View<HandOverModel>): Start {
  const local = view.process('consumer');
  return { role: 'materializer', args: { consumer: local.status === 'absent' ? CONSUMER : local.pid } };
}

/** The directory asks the Consumer to stop, and starts it again when it has drained; so does whoever follows the shape. */
function ofRestart(view: View<HandOverModel>, restarts: number): Happenings {
  const { happened, world } = view;
  const timesOf = (name: string): number => happened.filter((each) => each === name).length;
  const [consumerNow, materializerNow] = [view.process('consumer').status, view.process('materializer').status];
  const isKept = world.is.hasDrained && world.shapeLog?.snapshot.state === 'complete';
  const order = { from: '@shape-cache', to: CONSUMER, event: { type: 'stop', cause: 'drain' } } as const;
  const may: readonly [boolean, Happening<HandOverModel>][] = [
    [consumerNow === 'alive' && timesOf(DRAIN) < restarts, { name: DRAIN, sends: [order] }],
    [consumerNow === 'dead' && isKept && timesOf(RETURN) < timesOf(DRAIN), { name: RETURN, start: { role: 'consumer' } }],
    [materializerNow === 'dead' && timesOf(FOLLOW_AGAIN) < timesOf(RETURN), { name: FOLLOW_AGAIN, start: followerOf(view) }],
  ];
  return may.flatMap(([is, happening]) => (is ? [{ ...happening, isRemembered: true }] : []));
}
