/** Family: a supervisor whose children are puppets named after their ids, and what has become of them. */
import { setup } from 'xstate';
import type { ChildSpec, SupervisorSpec } from '../../../src/otp/supervision/child-spec.ts';
import type { ExitReason, Message, Pid, ProcessSpec } from '../../../src/otp/process.ts';
import { supervisor } from '../../../src/otp/supervision/supervisor.ts';
import { puppetSpec } from './puppet.ts';
import { World } from './world.ts';

/** How a child of a family behaves at each of its starts; beyond the list it comes up. */
export type StartPlan = readonly ('up' | 'fail' | 'ignore' | 'slow')[];

/** Comes up once, and never again. */
export const FAILS_FOR_EVER: StartPlan = ['up', ...Array.from({ length: 10_000 }, () => 'fail' as const)];

export interface ChildPlan extends Partial<Omit<ChildSpec, 'id' | 'start'>> {
  readonly starts?: StartPlan;
  /** Ignores the order to stop. */
  readonly stubborn?: boolean;
}

interface ChildEntry {
  readonly id: string;
  readonly pid: Pid | undefined;
  readonly status: string;
}

export class Family {
  readonly world: World;
  readonly pid: Pid;

  private constructor(world: World, pid: Pid) {
    this.world = world;
    this.pid = pid;
  }

  static async start(
    children: Readonly<Record<string, ChildPlan>>,
    spec: Partial<SupervisorSpec> = {},
    world = new World(),
  ): Promise<Family> {
    const pid = await world.start(familySpec(children, spec), 'sup');
    return new Family(world, pid);
  }

  /** The running children in order of start, as `id#incarnation` counted from 1 within the family. */
  get running(): readonly string[] {
    return this.world.runtime.tree().flatMap(({ children }) => children.map(({ pid }) => pid.slice('sup/'.length)));
  }

  /** `id reason` of every process that ended since `from`, in order. */
  endsSince(from = 0): readonly string[] {
    return this.world.exits
      .slice(from)
      .map(({ process, reason }) => `${idOf(process)} ${typeof reason === 'string' ? reason : Object.keys(reason).join()}`);
  }

  child(id: string): Pid {
    const pid = this.world.runtime.whereis(`@${id}`);
    if (pid === undefined) throw new Error(`${id} is not running`);
    return pid;
  }

  /** Ends a child as if by itself. */
  end(id: string, reason: ExitReason): void {
    this.world.tell(`@${id}`, { type: 'stop', params: { reason } });
  }

  crash(id: string): void {
    this.world.send(`@${id}`, { type: 'fail' });
  }

  /** Crashes a child whose restart never succeeds, and leaves the supervisor in the midst of its tries. */
  crashInLoop(id: string, steps = 200): void {
    this.world.runtime.send(`@${id}`, { type: 'fail' });
    this.world.run(steps);
  }

  /** The supervisor's answer. */
  ask(request: Message): Promise<Message> {
    return this.world.ask(this.pid, request);
  }

  /** Asks for one more child. */
  add(id: string, plan: ChildPlan = {}): Promise<Message> {
    return this.ask({ type: 'startChild', template: 'puppet', args: { type: 'args', id, plan } });
  }

  /** What `countChildren` says: specs, active, supervisors, workers. */
  async counts(): Promise<readonly unknown[]> {
    const { specs, active, supervisors, workers } = await this.ask({ type: 'countChildren' });
    return [specs, active, supervisors, workers];
  }

  /** What `whichChildren` says: each child's id, and its process or why it has none. */
  async children(): Promise<readonly string[]> {
    const { children } = await this.ask({ type: 'whichChildren' });
    return (children as readonly ChildEntry[]).map(({ id, pid, status }) => `${id} ${pid ?? status}`);
  }

  get isAlive(): boolean {
    return this.world.isAlive(this.pid);
  }

  get reason(): ExitReason | undefined {
    return this.world.reasonOf(this.pid);
  }

  get state(): unknown {
    return this.world.runtime.processInfo(this.pid)?.state;
  }
}

export function familySpec(children: Readonly<Record<string, ChildPlan>>, spec: Partial<SupervisorSpec> = {}): ProcessSpec {
  const initial = Object.entries(children).map(([id, plan]) => childSpec(id, plan));
  return supervisor({ strategy: 'one_for_one', children: initial, templates: { puppet: puppetTemplate }, ...spec });
}

/** Makes the child that the arguments describe: `{ id, plan }`. */
export function puppetTemplate({ id, plan }: Message): ChildSpec {
  return childSpec(String(id), plan as ChildPlan);
}

export function childSpec(id: string, { starts = [], stubborn = false, ...rest }: ChildPlan = {}): ChildSpec {
  let count = 0;
  return {
    id,
    start: () => {
      const plan = starts[count] ?? 'up';
      count += 1;
      if (plan === 'ignore') return { machine: absent };
      if (plan === 'slow') return { machine: slow, name: `@${id}` };
      return plan === 'up' ? puppetSpec({ name: `@${id}`, trapExit: stubborn }) : failing(id);
    },
    ...rest,
  };
}

/** Finds that it is not needed. */
const absent = setup({}).createMachine({ id: 'absent', initial: 'unneeded', states: { unneeded: { type: 'final', tags: 'ignore' } } });

/** Says that it is up when it is told so. */
const slow = setup({}).createMachine({
  id: 'slow',
  initial: 'connecting',
  states: { connecting: { tags: 'starting', on: { up: 'up' } }, up: {} },
});

function failing(id: string): ProcessSpec {
  return {
    open: () => {
      throw new Error(`${id} cannot start`);
    },
  };
}

function idOf(process: Pid): string {
  return process.slice(process.lastIndexOf('/') + 1).replace(/#\d+$/, '');
}
