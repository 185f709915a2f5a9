/**
 * SpliceSystem: an inner shape and those that depend on it, live, each with its Consumer; the Materializers between them, the two
 * collectors, and a writer. What the writer does, when Postgres shows it, who dies, drains, and when the power goes, is
 * anybody's choice.
 */
import { consumer } from '../../../src/actors/consumer/consumer.ts';
import { catchUpCollector } from '../../../src/actors/collector/catch-up-collector.ts';
import { shapeLogCollector } from '../../../src/actors/collector/shape-log-collector.ts';
import { materializer } from '../../../src/actors/materializer.ts';
import { LSN_ZERO } from '../../../src/model/lsn.ts';
import { seededRandom } from '../../../src/base/random.ts';
import type { Pid } from '../../../src/otp/process.ts';
import type { Machines } from '../../support/hand-over/hand-over-world.ts';
import type { Alive, Local } from '../checker/local.ts';
import { randomWalk } from '../checker/random-walk.ts';
import type { Bounds, Happening, Role, Start, System, View } from '../checker/system.ts';
import { SpliceModel } from './splice-model.ts';
import { splicePorts } from './splice-ports.ts';
import { violationOf } from './splice-properties.ts';
import { SCRIPTS, type ScriptName } from './splice-scripts.ts';
import { settingOf, shapeIn, type SettledShape } from './splice-setting.ts';
import { CASTS, keepersOf, type CastName, type KeeperPlan, type ShapePlan } from './splice-shapes.ts';
import { catchUpTables, collectorTables, consumerTables, materializerTables } from './splice-tables.ts';

export interface SpliceBounds extends Bounds {
  readonly script: ScriptName;
  /** Which shapes there are; left out for a pair. */
  readonly cast?: CastName;
  /** The first ones of the script. */
  readonly transactions: number;
  readonly moveOuts: 'events' | 'deletes';
  /** Each transaction is shown when it arrives: for what has nothing to do with visibility. */
  readonly isShownAtOnce?: true;
  /** How often a Consumer is drained, and begins again. */
  readonly restarts: number;
  /** The one whose Consumer may be; left out for any. */
  readonly drains?: 'outer';
  /** How often the power goes. */
  readonly crashes: number;
  /**
   * It begins when the power had gone: so many transactions had been taken by then, and been read, though the last was yet to be shown.
   * Those who depend on the inner shape begin whenever they like.
   */
  readonly powerWent?: number;
}

const PRODUCTION: Machines = { consumer, materializer };
const READY = { name: 'ready', sends: [{ from: '@supervisor', to: '@shape-log-collector', event: { type: 'shapesRestored' } }] } as const;

export async function spliceSystem(bounds: SpliceBounds, machines: Machines = PRODUCTION): Promise<System<SpliceModel>> {
  const { script, shapes } = { script: SCRIPTS[bounds.script], shapes: CASTS[bounds.cast ?? 'pair'] };
  const transactions = script.transactions.slice(0, bounds.transactions);
  const system = systemOf(new SpliceModel(await settingOf({ ...script, transactions }, shapes, bounds.moveOuts)), bounds, machines);
  return bounds.powerWent === undefined ? system : { ...system, world: whenPowerWent(system, bounds, bounds.powerWent), opening: [READY] };
}

function systemOf(world: SpliceModel, bounds: SpliceBounds, machines: Machines): System<SpliceModel> {
  const shapes: readonly ShapePlan[] = CASTS[bounds.cast ?? 'pair'];
  const [consumers, keepers] = [shapes, keepersOf(shapes)].map((plans) => plans.map(({ role }) => role));
  return {
    world,
    roles: rolesOf(shapes, machines),
    ports: splicePorts,
    starts: ['collector', 'catchUp', 'inner'],
    opening: [...shapes.flatMap((shape) => beginning(shape, shapes, () => 1)), READY],
    victims: rolesInOrder(shapes),
    bounds,
    undertakers: [{ port: '@shape-cache', watches: consumers ?? [] }, { port: '@consumers/exits', watches: keepers ?? [] }],
    happenings: (view) => happeningsOf(view, bounds),
    violation: violationOf,
  };
}

/** One way on which nobody dies, of those that have come so far. */
function whenPowerWent(system: System<SpliceModel>, bounds: SpliceBounds, taken: number): SpliceModel {
  const peaceful = { ...bounds, kills: 0, timeouts: 0, restarts: 0, crashes: 0 };
  const happenings = (view: View<SpliceModel>): Happenings => {
    if (view.world.is.arrived < taken) return ofWriter(view, peaceful).filter(({ name }) => name.endsWith('arrives'));
    return ofShowing(view).filter(({ name }) => Number.parseInt(name) < taken);
  };
  let last = system.world;
  for (const { after } of randomWalk({ ...system, bounds: peaceful, happenings }, seededRandom(1))) last = after.world;
  const gone = last.clone();
  gone.crash();
  // Until its Consumer has begun nobody says how far a shape is.
  for (const { handle, keeper } of gone.setting.shapes) if (keeper !== undefined) gone.shape(handle)?.leavePace(LSN_ZERO);
  return new SpliceModel(gone.setting, { ...gone.is, keepers: {} }, gone.shapes);
}

/** Inner ones first, each with who keeps the values that it looks up. */
function rolesInOrder(shapes: readonly ShapePlan[]): readonly string[] {
  return [...new Set(shapes.flatMap(({ role, keeper }) => (keeper === undefined ? [role] : [keeper.role, role])))];
}

/** @param incarnation of a role. */
function beginning({ role, keeper }: ShapePlan, shapes: readonly ShapePlan[], incarnation: (role: string) => number): Happenings {
  const inner = shapes.find(({ handle }) => handle === keeper?.follows);
  if (keeper === undefined || inner === undefined) return [];
  const consumer = `${inner.role}#${incarnation(inner.role)}` as Pid;
  return [{ name: `the ${role} shape begins`, start: startOf(role, keeper, consumer) }];
}

function startOf(role: string, { follows, column }: KeeperPlan, consumer: Pid): Start {
  return { role, args: { dependencies: [{ handle: follows, column, consumer }] } };
}

function rolesOf(shapes: readonly ShapePlan[], machines: Machines): readonly Role<SpliceModel>[] {
  const consumers = shapes.map((shape) => consumerRole(shape, machines));
  const keepers = keepersOf(shapes).map(({ role, name }): Role<SpliceModel> => ({
    name: role,
    machine: machines.materializer,
    registered: name,
    input: (_, args) => args,
    tables: (self, world) => materializerTables(self, world),
  }));
  const order = rolesInOrder(shapes);
  return [
    {
      name: 'collector',
      machine: shapeLogCollector,
      registered: '@shape-log-collector',
      input: ({ shapes: logs }) => ({ position: logs.position }),
      tables: collectorTables,
    },
    { name: 'catchUp', machine: catchUpCollector, registered: '@catch-up-collector', input: () => ({}), tables: catchUpTables },
    ...[...consumers, ...keepers].sort(({ name: one }, { name: other }) => order.indexOf(one) - order.indexOf(other)),
  ];
}

function consumerRole({ role, handle, name, keeper }: ShapePlan, machines: Machines): Role<SpliceModel> {
  return {
    name: role,
    machine: machines.consumer,
    registered: name,
    input(world, args) {
      const shape = world.shape(handle);
      const shown = keeper === undefined ? {} : { shownThrough: world.shownThrough };
      return { handle, mode: 'restore', position: shape?.position, end: shape?.end, ...shown, ...args };
    },
    tables: consumerTables(handle),
  };
}

type Happenings = readonly Happening<SpliceModel>[];

function happeningsOf(view: View<SpliceModel>, bounds: SpliceBounds): Happenings {
  const mayReturn = bounds.restarts > 0 || bounds.powerWent !== undefined;
  return [...ofWriter(view, bounds), ...(mayReturn ? ofReturn(view) : []), ...ofDrain(view, bounds), ...ofPower(view, bounds)];
}

function ofWriter(view: View<SpliceModel>, { isShownAtOnce }: SpliceBounds): Happenings {
  const { world } = view;
  const { arrived } = world.is;
  const told = { type: 'log.extended', ...world.log.endOf(arrived + (world.mayArrive() ? 1 : 0)) };
  const arrive: Happening<SpliceModel> = {
    name: `${arrived + 1} arrives`,
    toWorld(copy) {
      copy.arrive();
      if (isShownAtOnce === true) copy.show(arrived);
    },
    sends: [{ from: '@stream', to: '@shape-log-collector', event: told }],
  };
  return [...(world.mayArrive() ? [arrive] : []), ...(isShownAtOnce === true ? [] : ofShowing(view))];
}

/** In the order of their commits. */
function ofShowing({ world }: View<SpliceModel>): Happenings {
  return world.mayShow.map((index) => ({ name: `${index + 1} is shown`, toWorld: (copy) => copy.show(index) }));
}

function ofDrain(view: View<SpliceModel>, { restarts, drains }: SpliceBounds): Happenings {
  const { happened, world } = view;
  if (happened.filter((name) => name.startsWith('drain')).length >= restarts) return [];
  const running = world.setting.shapes.filter(({ role, handle }) => {
    return world.is.running.includes(handle) && view.process(role).status !== 'unborn' && (drains ?? role) === role;
  });
  return running.map(({ role, name }) => ({
    name: `drain ${role}`,
    isRemembered: true,
    sends: [{ from: '@shape-cache', to: name, event: { type: 'stop', cause: 'drain' } }],
  }));
}

/** The directory starts what has drained again, the inner shape first, and an outer one when that is live. */
function ofReturn(view: View<SpliceModel>): Happenings {
  return view.world.setting.shapes.flatMap((shape) => (isAwaited(view, shape) ? returning(view, shape) : []));
}

function isAwaited(view: View<SpliceModel>, { role, handle }: SettledShape): boolean {
  const { world } = view;
  const isStopped = ['dead', 'absent'].includes(view.process(role).status);
  return isStopped && !world.is.running.includes(handle) && world.shape(handle) !== undefined;
}

function returning(view: View<SpliceModel>, { role, handle, keeper }: SettledShape): Happenings {
  const { setting, is } = view.world;
  const name = `the ${role} shape returns`;
  if (keeper === undefined) return is.drained.includes(handle) ? [{ name, start: { role } }] : [];
  const inner = view.process(shapeIn(setting, keeper.follows).role);
  if (inner.status !== 'alive' || !hasRegistered(inner)) return [];
  return [{ name, start: startOf(role, keeper, inner.pid), toWorld: (copy) => copy.noteBegin(handle) }];
}

/**
 * All processes and all memory are gone, and what was durable is found again. The shapes register in one order; from there on, as
 * they read what they had not stored, everything is open again.
 */
function ofPower(view: View<SpliceModel>, { crashes }: SpliceBounds): Happenings {
  const { happened, world } = view;
  const { shapes } = world.setting;
  const mayBegin = shapes.every(({ role, handle }) => world.shape(handle) !== undefined && view.process(role).status !== 'absent');
  if (happened.filter((name) => name === CRASH).length >= crashes || !mayBegin) return [];
  const next = (role: string): number => numberOf(view.process(role)) + 1;
  const behind = [...shapes.flatMap((shape) => beginning(shape, shapes, next)), READY];
  return [{ name: CRASH, isCrash: true, isRemembered: true, toWorld: (copy) => copy.crash(), behind }];
}

/** Which incarnation it is. */
function numberOf(local: Local): number {
  return local.status === 'absent' ? 0 : Number(local.pid.split('#')[1]);
}

const CRASH = 'the power goes';

function hasRegistered({ snapshot }: Alive): boolean {
  const { running }: { readonly running?: { readonly ingest: unknown } } = snapshot.value as object;
  return running !== undefined && !/deciding|depending|registering/.test(JSON.stringify(running.ingest));
}
