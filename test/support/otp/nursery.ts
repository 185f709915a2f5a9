/** Nursery: a dynamic supervisor whose template `puppet` makes the child that the arguments describe. */
import type { ChildSpec, DynamicSupervisorSpec } from '../../../src/otp/supervision/child-spec.ts';
import { dynamicSupervisor } from '../../../src/otp/supervision/dynamic-supervisor.ts';
import type { ExitReason, MachineSpec, Message, Pid } from '../../../src/otp/process.ts';
import { childSpec, type ChildPlan } from './family.ts';
import { puppetSpec } from './puppet.ts';
import { World } from './world.ts';

export class Nursery {
  readonly world: World;
  readonly pid: Pid;

  private constructor(world: World, pid: Pid) {
    this.world = world;
    this.pid = pid;
  }

  static async start(spec: Partial<DynamicSupervisorSpec> = {}, world = new World()): Promise<Nursery> {
    return new Nursery(world, await world.start(nurserySpec(spec), 'nursery'));
  }

  /** The supervisor's answer. */
  ask(request: Message): Promise<Message> {
    return this.world.ask(this.pid, request);
  }

  add(id: string, plan: ChildPlan = {}): Promise<Message> {
    return this.ask({ type: 'startChild', template: 'puppet', args: { type: 'args', id, plan } });
  }

  /** One whose id is the supervisor's choice. */
  addNameless(restart: ChildSpec['restart'] = 'temporary'): Promise<Message> {
    return this.ask({ type: 'startChild', template: 'nameless', args: { type: 'args', restart } });
  }

  /** Ends a child as if by itself. */
  end(id: string, reason: ExitReason): void {
    this.world.tell(`@${id}`, { type: 'stop', params: { reason } });
  }

  /** Crashes a child whose restart never succeeds, and leaves the supervisor in the midst of its tries. */
  crashInLoop(id: string, steps = 200): void {
    this.world.runtime.send(`@${id}`, { type: 'fail' });
    this.world.run(steps);
  }

  /** What `countChildren` says: specs, active, supervisors, workers. */
  async counts(): Promise<readonly unknown[]> {
    const { specs, active, supervisors, workers } = await this.ask({ type: 'countChildren' });
    return [specs, active, supervisors, workers];
  }

  get running(): readonly string[] {
    return this.world.runtime
      .tree()
      .flatMap(({ id, children }) => (id === 'nursery' ? children.map(({ pid }) => pid.slice('nursery/'.length)) : []));
  }

  /** Who ended, in order, and why. */
  get ends(): readonly (readonly [string, ExitReason])[] {
    return this.world.exits.map(({ process, reason }) => [process.replace(/^.*\//, '').replace(/#\d+$/, ''), reason]);
  }

  get reason(): ExitReason | undefined {
    return this.world.reasonOf(this.pid);
  }
}

export function nurserySpec(spec: Partial<DynamicSupervisorSpec> = {}): MachineSpec {
  const templates: DynamicSupervisorSpec['templates'] = {
    puppet: (args) => childSpec(String(args.id), args.plan as ChildPlan),
    nameless: ({ restart }) => ({ start: () => puppetSpec(), restart: restart as NonNullable<ChildSpec['restart']> }),
    bad: () => {
      throw new Error('bad arguments');
    },
  };
  return dynamicSupervisor({ templates, ...spec });
}
