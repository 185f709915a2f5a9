/** Job: what a task does, in the hands of the test; and a caller that can ask for it. */
import type { Pid, PortSpec } from '../../../../src/otp/process.ts';
import type { Scheduler } from '../../../../src/otp/schedulers/scheduler.ts';
import { task } from '../../../../src/otp/task.ts';
import { World } from '../../../support/otp/world.ts';

export class Job {
  /** Of each of its runs, in order. */
  readonly signals: AbortSignal[] = [];
  private readonly obedient: boolean;
  private resolvers: { readonly resolve: (value: unknown) => void; readonly reject: (error: unknown) => void }[] = [];

  /** @param obedient whether it gives up when its signal is aborted. */
  constructor(obedient = true) {
    this.obedient = obedient;
  }

  readonly spec = (): PortSpec => task((signal) => this.run(signal));

  finish(value?: unknown): void {
    this.resolvers.shift()?.resolve(value);
  }

  fail(error: unknown): void {
    this.resolvers.shift()?.reject(error);
  }

  get aborted(): readonly boolean[] {
    return this.signals.map((signal) => signal.aborted);
  }

  private run(signal: AbortSignal): Promise<unknown> {
    this.signals.push(signal);
    return new Promise((resolve, reject) => {
      this.resolvers.push({ resolve, reject });
      if (this.obedient) signal.addEventListener('abort', () => reject(new Error('gave up')));
    });
  }
}

export interface Office {
  readonly world: World;
  readonly caller: Pid;
  readonly job: Job;
}

/** A task ends after the promise of its job, and is told of after that. */
export async function rest(world: World): Promise<void> {
  await world.settle();
  await world.settle();
}

/** A puppet that may ask for `job`, and for the tasks of `spawns`. */
export async function callerOf(
  options: {
    readonly traps?: boolean;
    readonly obedient?: boolean;
    readonly spawns?: Readonly<Record<string, () => PortSpec>>;
    readonly scheduler?: Scheduler;
  } = {},
): Promise<Office> {
  const { traps = false, obedient = true, spawns = {}, scheduler } = options;
  const world = new World(scheduler);
  const job = new Job(obedient);
  return { world, job, caller: await world.puppet('caller', { trapExit: traps, spawns: { job: job.spec, ...spawns } }) };
}
