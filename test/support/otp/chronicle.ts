/** Chronicle: lives one fate through and tells what an onlooker could have seen. */
import type { SupervisorSpec } from '../../../src/otp/supervision/child-spec.ts';
import type { MachineSpec, Message, Pid } from '../../../src/otp/process.ts';
import type { NumberedRecord } from '../../../src/otp/kernel/trace.ts';
import type { ProcessTree } from '../../../src/otp/tree.ts';
import { puppetSpec, type Told } from './puppet.ts';
import { schedulerOf, specOf, type Fate, type Mishap } from './random-tree.ts';
import { World } from './world.ts';

const LATE_MAX = 3;

export interface Chronicle {
  readonly records: readonly NumberedRecord[];
  /** Every process of the tree that ever was. */
  readonly born: readonly Pid[];
  /** What the watcher was told: it monitors everybody. */
  readonly downs: readonly Message[];
  /** After the mishaps, when nothing moves any more: what was alive, per parent in order of start. */
  readonly alive: readonly ProcessTree[];
  /** At that time, by supervisor: what it lists as its children. */
  readonly listed: ReadonlyMap<Pid, readonly ListedChild[]>;
  /** The number of the last record before the root was told to stop. */
  readonly restedAt: number;
  /** The ends after that order, in their order. */
  readonly stopOrder: readonly Pid[];
  /** What is left when all is over. */
  readonly left: readonly Pid[];
  /** The choices that were made: as an order of the kind `choices`, they make the same run. */
  readonly choices: readonly number[];
}

export interface ListedChild {
  readonly id: string;
  readonly pid: Pid | undefined;
  readonly status: string;
}

/** @param make the supervisor of production, unless a broken one is to be found. */
export async function chronicle({ tree, mishaps, order }: Fate, make?: (spec: SupervisorSpec) => MachineSpec): Promise<Chronicle> {
  const scheduler = schedulerOf(order);
  const world = new World(scheduler);
  const { runtime } = world;
  const watcher = await world.start(puppetSpec(), 'watcher');
  const client = await world.start(puppetSpec(), 'client');
  const records: NumberedRecord[] = [];
  const born: Pid[] = [];
  runtime.trace((record) => {
    records.push(record);
    if (record.type !== 'spawn') return;
    born.push(record.process);
    runtime.send(watcher, { type: 'do', effects: [{ type: 'monitor', params: { process: record.process, as: 'seen' } }] });
  });
  void runtime.start(specOf(tree, make), { id: 'root' }).catch(() => undefined);
  mishaps.forEach((mishap, number) => befall({ world, client, number }, mishap));
  rest(world);
  const alive = rootsOf(world);
  const listed = await listedBy(world);
  const restedAt = records.at(-1)?.n ?? 0;
  const endsBefore = world.exits.length;
  for (const { pid } of alive) runtime.exit(pid, 'shutdown');
  rest(world);
  return {
    records, born, alive, listed, restedAt,
    downs: world.seen(watcher),
    stopOrder: world.exits.slice(endsBefore).map(({ process }) => process),
    left: rootsOf(world).map(({ pid }) => pid),
    choices: scheduler.choices,
  };
}

interface Scene {
  readonly world: World;
  /** Asks supervisors. */
  readonly client: Pid;
  /** Of the mishap: names what is asked for, so that an outcome can be told from every other. */
  readonly number: number;
}

function befall(scene: Scene, mishap: Mishap): void {
  const { runtime, clock } = scene.world;
  for (let step = 0; step < mishap.stepsBefore; step += 1) runtime.step();
  if (mishap.type === 'wait') {
    clock.advance(mishap.ms);
    return;
  }
  const living = rootsOf(scene.world).flatMap(flatten);
  switch (mishap.type) {
    case 'startChild':
    case 'terminateChild':
    case 'restartChild':
    case 'deleteChild':
      askSupervisor(scene, mishap, pick(supervisorsOf(scene.world), mishap.who));
      return;
    case 'kill':
    case 'exit':
      strike(scene, mishap.type, pick(living, mishap.who));
      return;
    default:
      tellCitizen(
        scene,
        mishap,
        pick(
          living.filter(({ state }) => state === 'awake'),
          mishap.who,
        ),
        [...living.map(({ pid }) => pid), ...lateOf(scene.world)],
      );
  }
}

/** Of the dead, those that somebody may still believe to be alive. */
function lateOf({ exits }: World): readonly Pid[] {
  return exits.slice(-LATE_MAX).map(({ process }) => process);
}

function strike({ world }: Scene, type: 'kill' | 'exit', victim: ProcessTree | undefined): void {
  if (victim !== undefined) world.runtime.exit(victim.pid, type === 'kill' ? 'kill' : { shutdown: 'from a stranger' });
}

type ToSupervisor = Extract<Mishap, { type: 'startChild' | 'terminateChild' | 'restartChild' | 'deleteChild' }>;

function askSupervisor({ world, client, number }: Scene, mishap: ToSupervisor, to: ProcessTree | undefined): void {
  if (to === undefined) return;
  const request = requestOf(mishap, to, number);
  world.runtime.send(client, { type: 'do', effects: [{ type: 'call', params: { to: to.pid, request, as: `seen.${number}` } }] });
}

/** Of the children that it has and those that it may have had. */
function requestOf(mishap: ToSupervisor, { children }: ProcessTree, number: number): Message {
  if (mishap.type === 'startChild') {
    const { restart, starts } = mishap;
    return { type: 'startChild', template: 'late', args: { type: 'late', id: `late${number % 3}`, restart, starts } };
  }
  const ids = [...children.map(({ id }) => id), 'c0', 'c1', 'late0'];
  return { type: mishap.type, id: ids[mishap.child % ids.length] };
}

type Plain = Extract<Mishap, { type: 'crash' } | { type: 'finish' }>;
type Telling = Exclude<Mishap, ToSupervisor | Plain | { type: 'wait' } | { type: 'kill' | 'exit' }>;

function tellCitizen({ world, number }: Scene, mishap: Telling | Plain, citizen: ProcessTree | undefined, known: readonly Pid[]): void {
  if (citizen === undefined) return;
  if (mishap.type === 'crash' || mishap.type === 'finish') {
    world.runtime.send(citizen.pid, { type: mishap.type === 'crash' ? 'fail' : 'finish' });
    return;
  }
  const other = 'whom' in mishap ? pick(known.filter((pid) => pid !== citizen.pid), mishap.whom) : citizen.pid;
  if (other !== undefined) world.runtime.send(citizen.pid, { type: 'do', effects: [effectOf(mishap, other, `seen.${number}`)] });
}

function effectOf(mishap: Telling, process: Pid, as: string): Told {
  switch (mishap.type) {
    case 'monitor':
      return { type: 'monitor', params: { process, as } };
    case 'call':
      return {
        type: 'call',
        params: {
          to: process,
          request: { type: mishap.request, as },
          as,
          ...(mishap.timeoutMs === null ? {} : { timeoutMs: mishap.timeoutMs }),
        },
      };
    case 'spawn':
    case 'start': {
      const { link, monitor, start } = mishap;
      return { type: mishap.type, params: { template: 'child', as, link, monitor, args: { type: 'child', start } } };
    }
    default:
      return { type: mishap.type, params: { process } };
  }
}

/** Until nothing moves and no time-out is left: a stubborn child may take its time at each level. */
function rest(world: World): void {
  for (let round = 0; round < 200; round += 1) {
    world.runtime.drain();
    if (world.clock.pendingTimers === 0) return;
    world.clock.advance(100);
  }
}

async function listedBy(world: World): Promise<Chronicle['listed']> {
  const supervisors = supervisorsOf(world);
  const answers = supervisors.map(({ pid }) => world.runtime.call(pid, { type: 'whichChildren' }, 1_000));
  rest(world);
  const lists = await Promise.all(answers.map((answer) => answer.then(({ children }) => children as readonly ListedChild[])));
  return new Map(supervisors.map(({ pid }, index) => [pid, lists[index] ?? []]));
}

function rootsOf(world: World): readonly ProcessTree[] {
  return world.runtime.tree().filter(({ id }) => id === 'root');
}

export function flatten(node: ProcessTree): readonly ProcessTree[] {
  return [node, ...node.children.flatMap(flatten)];
}

/** What a message makes a citizen ask for. */
export function effectsOf(message: Message): readonly { readonly type: string; readonly params: Readonly<Record<string, unknown>> }[] {
  return message.type === 'do' ? (message.effects as ReturnType<typeof effectsOf>) : [];
}

function supervisorsOf(world: World): readonly ProcessTree[] {
  return rootsOf(world).flatMap(flatten).filter(({ pid }) => world.runtime.tableOf(pid, 'children') !== undefined);
}

function pick<Item>(items: readonly Item[], index: number): Item | undefined {
  return items[index % Math.max(1, items.length)];
}
