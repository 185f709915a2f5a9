/**
 * SpliceSystem: an inner shape and one that depends on it, live, each with its Consumer; the Materializer between them, the two
 * collectors, and a writer. What the writer does, when Postgres shows it, who dies, drains, and when the power goes, is
 * anybody's choice.
 */
import { consumer } from '../../../src/actors/consumer/consumer.ts';
import { catchUpCollector } from '../../../src/actors/collector/catch-up-collector.ts';
import { shapeLogCollector } from '../../../src/actors/collector/shape-log-collector.ts';
import { materializer } from '../../../src/actors/materializer.ts';
import type { Handle } from '../../../src/model/shape.ts';
import type { Pid } from '../../../src/otp/process.ts';
import type { Machines } from '../../support/hand-over/hand-over-world.ts';
import type { Bounds, Happening, Role, Start, System, View } from '../checker/system.ts';
import { SpliceModel } from './splice-model.ts';
import { splicePorts } from './splice-ports.ts';
import { violationOf } from './splice-properties.ts';
import { SCRIPTS, type ScriptName } from './splice-scripts.ts';
import { COLUMN, INNER, NAMES, OUTER, settingOf } from './splice-setting.ts';
import { catchUpTables, collectorTables, consumerTables, materializerTables } from './splice-tables.ts';

export interface SpliceBounds extends Bounds {
  readonly script: ScriptName;
  /** The first ones of the script. */
  readonly transactions: number;
  readonly moveOuts: 'events' | 'deletes';
  /** Each transaction is shown when it arrives: for what has nothing to do with visibility. */
  readonly isShownAtOnce?: true;
  /** How often a Consumer is drained, and begins again. */
  readonly restarts: number;
  /** How often the power goes. */
  readonly crashes: number;
}

const PRODUCTION: Machines = { consumer, materializer };
const READY = { name: 'ready', sends: [{ from: '@supervisor', to: '@shape-log-collector', event: { type: 'shapesRestored' } }] } as const;

export async function spliceSystem(bounds: SpliceBounds, machines: Machines = PRODUCTION): Promise<System<SpliceModel>> {
  const script = SCRIPTS[bounds.script];
  const transactions = script.transactions.slice(0, bounds.transactions);
  return {
    world: new SpliceModel(await settingOf({ ...script, transactions }, bounds.moveOuts)),
    roles: rolesOf(machines),
    ports: splicePorts,
    starts: ['collector', 'catchUp', 'inner'],
    opening: [{ name: 'the outer shape begins', start: outerOf('inner#1' as Pid) }, READY],
    victims: ['inner', 'materializer', 'outer'],
    bounds,
    undertakers: [{ port: '@shape-cache', watches: ['inner', 'outer'] }, { port: '@consumers/exits', watches: ['materializer'] }],
    happenings: (view) => happeningsOf(view, bounds),
    violation: violationOf,
  };
}

function outerOf(inner: Pid): Start {
  return { role: 'outer', args: { dependencies: [{ handle: INNER, column: COLUMN, consumer: inner }] } };
}

function rolesOf(machines: Machines): readonly Role<SpliceModel>[] {
  const consumerRole = (name: 'inner' | 'outer', handle: Handle): Role<SpliceModel> => ({
    name,
    machine: machines.consumer,
    registered: NAMES[name],
    input(world, args) {
      const shape = world.shape(handle);
      return { handle, mode: 'restore', position: shape?.position, end: shape?.end, ...args };
    },
    tables: consumerTables(handle),
  });
  return [
    {
      name: 'collector',
      machine: shapeLogCollector,
      registered: '@shape-log-collector',
      input: ({ shapes }) => ({ position: shapes.position }),
      tables: collectorTables,
    },
    { name: 'catchUp', machine: catchUpCollector, registered: '@catch-up-collector', input: () => ({}), tables: catchUpTables },
    consumerRole('inner', INNER),
    {
      name: 'materializer',
      machine: machines.materializer,
      registered: NAMES.materializer,
      input: (_, args) => args,
      tables: (self, world) => materializerTables(self, world),
    },
    consumerRole('outer', OUTER),
  ];
}

type Happenings = readonly Happening<SpliceModel>[];

function happeningsOf(view: View<SpliceModel>, bounds: SpliceBounds): Happenings {
  return [...ofWriter(view, bounds), ...(bounds.restarts > 0 ? ofReturn(view) : []), ...ofDrain(view, bounds), ...ofPower(view, bounds)];
}

function ofWriter({ world }: View<SpliceModel>, { isShownAtOnce }: SpliceBounds): Happenings {
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
  const shows = world.mayShow.map((index) => ({ name: `${index + 1} is shown`, toWorld: (copy: SpliceModel) => copy.show(index) }));
  return [...(world.mayArrive() ? [arrive] : []), ...(isShownAtOnce === true ? [] : shows)];
}

function ofDrain(view: View<SpliceModel>, { restarts }: SpliceBounds): Happenings {
  const { happened, world } = view;
  if (happened.filter((name) => name.startsWith('drain')).length >= restarts) return [];
  const mayDrain = (role: string, handle: Handle): boolean => world.is.running.includes(handle) && view.process(role).status !== 'unborn';
  const running = ([['inner', INNER], ['outer', OUTER]] as const).filter(([role, handle]) => mayDrain(role, handle));
  return running.map(([role]) => ({
    name: `drain ${role}`,
    isRemembered: true,
    sends: [{ from: '@shape-cache', to: NAMES[role], event: { type: 'stop', cause: 'drain' } }],
  }));
}

/** The directory starts what has drained again, the inner shape first, and the outer one when that is live. */
function ofReturn(view: View<SpliceModel>): Happenings {
  const { is } = view.world;
  const isStopped = (role: string): boolean => ['dead', 'absent'].includes(view.process(role).status);
  const mayReturn = (role: string, handle: Handle): boolean => {
    return isStopped(role) && !is.running.includes(handle) && view.world.shape(handle) !== undefined;
  };
  const returns: Happening<SpliceModel>[] = [];
  if (mayReturn('inner', INNER) && is.drained.includes(INNER)) returns.push({ name: 'the inner shape returns', start: { role: 'inner' } });
  const inner = view.process('inner');
  if (mayReturn('outer', OUTER) && inner.status === 'alive' && hasRegistered(view, 'inner')) {
    returns.push({ name: 'the outer shape returns', start: outerOf(inner.pid), toWorld: (copy) => copy.noteBegin(OUTER) });
  }
  return returns;
}

/**
 * All processes and all memory are gone, and what was durable is found again. The shapes register in one order; from there on, as
 * they read what they had not stored, everything is open again.
 */
function ofPower(view: View<SpliceModel>, { crashes }: SpliceBounds): Happenings {
  const { happened, world } = view;
  const inner = view.process('inner');
  const areStored = world.shape(INNER) !== undefined && world.shape(OUTER) !== undefined;
  if (happened.filter((name) => name === CRASH).length >= crashes || !areStored || inner.status === 'absent') return [];
  const next = `inner#${Number(inner.pid.split('#')[1]) + 1}` as Pid;
  const behind = [{ name: 'the outer shape returns', start: outerOf(next) }, READY];
  return [{ name: CRASH, isCrash: true, isRemembered: true, toWorld: (copy) => copy.crash(), behind }];
}

const CRASH = 'the power goes';

function hasRegistered(view: View<SpliceModel>, role: string): boolean {
  const local = view.process(role);
  if (local.status !== 'alive') return false;
  const { running }: { readonly running?: { readonly ingest: unknown } } = local.snapshot.value as object;
  return running !== undefined && !/deciding|depending|registering/.test(JSON.stringify(running.ingest));
}

