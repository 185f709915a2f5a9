/** World: a runtime whose time and whose deliveries the test moves. */
import { systemClock } from '../../../src/base/clock.ts';
import { replayScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import type { Address, ExitReason, MachineSpec, Message, Pid, ProcessSpec } from '../../../src/otp/process.ts';
import { createRuntime, type Runtime } from '../../../src/otp/runtime.ts';
import type { Scheduler } from '../../../src/otp/schedulers/scheduler.ts';
import { ManualClock } from '../manual-clock.ts';
import { puppetSpec, type Told } from './puppet.ts';

export class World {
  readonly clock = new ManualClock();
  readonly runtime: Runtime;
  /** `exit <pid> <reason>` of every process that ended, in order. */
  readonly exits: { readonly process: Pid; readonly reason: ExitReason }[] = [];

  constructor(scheduler: Scheduler = replayScheduler()) {
    this.runtime = createRuntime({ clock: this.clock, scheduler });
    this.runtime.trace((record) => {
      if (record.type === 'exit') this.exits.push({ process: record.process, reason: record.reason });
    });
  }

  start(spec: ProcessSpec, id: string): Promise<Pid> {
    const started = this.runtime.start(spec, { id });
    this.runtime.drain();
    return started;
  }

  puppet(id: string, options: Partial<MachineSpec> = {}): Promise<Pid> {
    return this.start(puppetSpec(options), id);
  }

  /** Makes a puppet ask for effects, and lets everything happen that follows. */
  tell(to: Address, ...effects: readonly Told[]): void {
    this.send(to, { type: 'do', effects });
  }

  send(to: Address, message: Message): void {
    this.runtime.send(to, message);
    this.runtime.drain();
  }

  exit(process: Address, reason: ExitReason | 'kill'): void {
    this.runtime.exit(process, reason);
    this.runtime.drain();
  }

  advance(byMs: number): void {
    this.clock.advance(byMs);
    this.runtime.drain();
  }

  /** Delivers at most `steps` signals: for processes that never come to rest. */
  run(steps: number): void {
    for (let step = 0; step < steps && this.runtime.step(); step += 1);
  }

  /** The answer to a request; at most `steps` signals are delivered to get it. */
  ask(to: Address, request: Message, steps = 1_000): Promise<Message> {
    const answer = this.runtime.call(to, request);
    this.run(steps);
    return answer;
  }

  /** Lets promises that are settled run their course, and delivers what comes of them. */
  async settle(): Promise<void> {
    await new Promise<void>((done) => systemClock.setTimer(done, 0));
    this.runtime.drain();
  }

  /** What a puppet was sent. */
  seen(process: Address): readonly Message[] {
    const snapshot: { readonly context: { readonly seen: readonly Message[] } } | undefined = this.runtime.refOf(process)?.getSnapshot();
    return snapshot?.context.seen ?? [];
  }

  isAlive(process: Address): boolean {
    return this.runtime.processInfo(process) !== undefined;
  }

  /** What became of a process: its reason, or undefined while it lives. */
  reasonOf(process: Pid): ExitReason | undefined {
    return this.exits.find((exit) => exit.process === process)?.reason;
  }
}
