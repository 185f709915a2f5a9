/** Chronicle: lives one fate through and tells what an onlooker could have seen. */
import { replayScheduler } from '../../../src/otp/choosing-scheduler.ts';
import type { Message, Pid } from '../../../src/otp/process.ts';
import type { NumberedRecord } from '../../../src/otp/trace.ts';
import type { ProcessTree } from '../../../src/otp/tree.ts';
import { puppetSpec } from './puppet.ts';
import { specOf, type Fate, type Mishap, type TreePlan } from './random-tree.ts';
import { World } from './world.ts';

export interface Chronicle {
  readonly records: readonly NumberedRecord[];
  /** Every process of the tree that ever was. */
  readonly born: readonly Pid[];
  /** What the watcher was told. */
  readonly downs: readonly Message[];
  /** After the mishaps, when nothing moves any more: states of supervisors that are not at rest. */
  readonly restless: readonly string[];
  /** At that time: permanent children that should run and do not. */
  readonly missing: readonly string[];
  /** What was alive when the root was told to stop, per supervisor in order of start. */
  readonly alive: readonly ProcessTree[];
  /** The ends after that order, in their order. */
  readonly stopOrder: readonly Pid[];
  /** What is left when all is over. */
  readonly left: readonly Pid[];
}

export async function chronicle({ tree, mishaps, choices }: Fate): Promise<Chronicle> {
  const world = new World(replayScheduler(choices));
  const { runtime } = world;
  const watcher = await world.start(puppetSpec(), 'watcher');
  const records: NumberedRecord[] = [];
  const born: Pid[] = [];
  runtime.trace((record) => {
    records.push(record);
    if (record.type !== 'spawn') return;
    born.push(record.process);
    runtime.send(watcher, { type: 'do', effects: [{ type: 'monitor', params: { process: record.process, as: 'seen' } }] });
  });
  void runtime.start(specOf(tree), { id: 'root' }).catch(() => undefined);
  for (const mishap of mishaps) befall(world, mishap);
  rest(world);
  const alive = rootsOf(world);
  const restless = alive.flatMap(restlessOf);
  const missing = alive.flatMap((root) => missingOf(root, tree));
  const endsBefore = world.exits.length;
  for (const { pid } of alive) runtime.exit(pid, 'shutdown');
  rest(world);
  return {
    records, born, restless, missing, alive,
    downs: world.seen(watcher),
    stopOrder: world.exits.slice(endsBefore).map(({ process }) => process),
    left: rootsOf(world).map(({ pid }) => pid),
  };
}

function befall(world: World, mishap: Mishap): void {
  const { runtime } = world;
  for (let step = 0; step < mishap.stepsBefore; step += 1) runtime.step();
  if (mishap.type === 'wait') {
    world.clock.advance(mishap.ms);
    return;
  }
  const living = rootsOf(world).flatMap(flatten);
  const victim = living[mishap.victim % Math.max(1, living.length)];
  if (victim === undefined) return;
  if (mishap.type === 'kill') runtime.exit(victim.pid, 'kill');
  else if (victim.children.length === 0 && victim.state === 'awake') runtime.send(victim.pid, { type: mishap.type === 'crash' ? 'fail' : 'finish' });
}

/** Until nothing moves and no time-out is left: a stubborn child may take its time at each level. */
function rest(world: World): void {
  for (let round = 0; round < 200; round += 1) {
    world.runtime.drain();
    if (world.clock.pendingTimers === 0) return;
    world.clock.advance(100);
  }
}

function rootsOf(world: World): readonly ProcessTree[] {
  return world.runtime.tree().filter(({ id }) => id === 'root');
}

export function flatten(node: ProcessTree): readonly ProcessTree[] {
  return [node, ...node.children.flatMap(flatten)];
}

function restlessOf(root: ProcessTree): readonly string[] {
  return flatten(root).flatMap(({ pid, state }) => (state === 'running' || state === 'awake' ? [] : [`${pid} ${JSON.stringify(state)}`]));
}

function missingOf(node: ProcessTree, plan: TreePlan): readonly string[] {
  return plan.children.flatMap(({ restart, below }, index) => {
    const found = node.children.find(({ id }) => id === `c${index}`);
    if (found === undefined) return restart === 'permanent' ? [`${node.pid} c${index}`] : [];
    return below === null ? [] : missingOf(found, below);
  });
}
