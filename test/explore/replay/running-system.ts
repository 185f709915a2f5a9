/**
 * RunningSystem: a searched system on the production runtime. Its machines, tables and ports are those of the search, over one world
 * that changes in place; mailboxes, calls, monitors, timers and ends are the runtime's own.
 *
 * So a control, which is a changed system, needs no second form to be run, and a property no second form to be looked at.
 */
import { setup, type AnyMachineSnapshot, type AnyStateMachine } from 'xstate';
import type { Clock } from '../../../src/base/clock.ts';
import { invariant } from '../../../src/base/invariant.ts';
import { effect } from '../../../src/otp/effects.ts';
import { reply } from '../../../src/otp/kernel/calls.ts';
import type { Entry } from '../../../src/otp/kernel/entry.ts';
import { ProcessKernel } from '../../../src/otp/kernel/kernel.ts';
import type { ProcessEntry } from '../../../src/otp/kernel/process-entry.ts';
import type { Address, ExitReason, MachineSpec, Message, Name, Pid, ReplyTo } from '../../../src/otp/process.ts';
import { choosingScheduler, type ChoosingScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import type { Local } from '../checker/local.ts';
import { withoutStack } from '../checker/local-process.ts';
import type { Port, Start, System, World } from '../checker/system.ts';
import type { Offer } from './offer.ts';
import { SUPERVISOR, type SystemPids } from './system-pids.ts';

/** Who waits for a process to begin. */
interface Waiter {
  readonly replyTo: ReplyTo;
  readonly event: Message;
}

export class RunningSystem<Kind extends World<Kind>> {
  private readonly kernel: ProcessKernel;
  readonly scheduler: ChoosingScheduler;
  /** Of those who stand for what is not of the system, by their pids. */
  readonly names = new Map<string, Name>();
  private readonly supervisor: ProcessEntry;
  private readonly entries = new Map<string, Entry>();
  private readonly ends = new Map<Pid, ExitReason>();
  private readonly waiters = new Map<Pid, Waiter>();
  /** Of what the world or a stand-in for it did wrong. */
  private fault: string | undefined;

  /** Nothing has begun yet; what the ports stand for begins with the first deliveries. */
  constructor(
    private readonly system: System<Kind>,
    private readonly world: Kind,
    private readonly pids: SystemPids,
    clock: Clock,
    choose: () => number,
  ) {
    this.scheduler = choosingScheduler(choose);
    this.kernel = new ProcessKernel(clock, this.scheduler);
    this.supervisor = this.place(`@${SUPERVISOR}`, () => {});
    for (const port of system.ports) this.place(port.name, (entry, message) => this.serve(port, entry, message));
    this.kernel.lifecycle = (record) => {
      if (record.type === 'exit') this.noteEnd(record.process, withoutStack(record.reason));
    };
    for (const role of system.starts) this.start({ role });
  }

  start({ role: name, args = {} }: Start, waiter?: Waiter): void {
    const { world, pids } = this;
    const role = this.system.roles.find((each) => each.name === name);
    invariant(role !== undefined, `the system has a role ${name}`);
    const given = pids.toRuntime(args);
    const spec: MachineSpec = {
      machine: role.machine,
      name: role.registered,
      tables: (self) => role.tables(self, world),
      get input() {
        return role.input(world, given); // As the world is when the process begins.
      },
    };
    const entry = this.kernel.spawn(spec, { id: name, parent: this.supervisor });
    pids.add(name, entry.pid);
    this.entries.set(name, entry);
    if (waiter !== undefined) this.waiters.set(entry.pid, waiter);
  }

  /** In the name of somebody, who need not be there. */
  send(from: Address, to: Address, message: Message): void {
    const target = this.kernel.resolve(to);
    const source = this.kernel.resolve(from) ?? { pid: from };
    if (target !== undefined) this.kernel.enqueue(target, { kind: 'message', source, message: this.pids.toRuntime(message) });
  }

  kill(role: string): void {
    const target = this.entries.get(role);
    if (target !== undefined) this.kernel.enqueue(target, { kind: 'exit', source: this.kernel.outside, reason: 'kill' });
  }

  /** Delivers what the scheduler is told to choose. */
  deliver({ to, signal }: Offer): void {
    this.scheduler.step();
    invariant(this.fault === undefined, this.fault ?? 'the world answers');
    if (signal.kind === 'init') this.noteBegun(to);
  }

  /** In the system's names. */
  process(role: string): Local {
    const entry = this.entries.get(role);
    if (entry === undefined) return { status: 'absent' };
    const pid = this.pids.toSystem(entry.pid) as Pid;
    const reason = this.ends.get(entry.pid);
    if (reason !== undefined) return { status: 'dead', pid, reason, saidByMachine: reason !== 'killed' && !isCrash(reason) };
    return entry.actor === undefined ? { status: 'unborn', pid } : { status: 'alive', pid, ...this.inside(entry) };
  }

  private inside(entry: Entry) {
    const snapshot = entry.actor?.getSnapshot() as AnyMachineSnapshot;
    return {
      snapshot: { ...snapshot, context: this.pids.named(snapshot.context) } as AnyMachineSnapshot,
      tables: entry.tables ?? {},
      urgent: this.pids.named(messagesOf(entry.urgent)),
      postponed: this.pids.named(messagesOf(entry.postponed)),
      timers: Object.fromEntries(Array.from(entry.timers?.values() ?? [], ({ name, content }) => [name, content ?? null])),
    };
  }

  /** Whoever had it started hears that the process has begun. */
  private noteBegun(role: string): void {
    const pid = this.entries.get(role)?.pid;
    const waiter = pid && this.waiters.get(pid);
    if (waiter !== undefined) reply(this.supervisor, waiter.replyTo, { ...waiter.event, pid });
  }

  /** Somebody who stands for what is not of the system. */
  private place(name: Name, serve: (entry: Entry, message: Message) => void): ProcessEntry {
    const { kernel } = this;
    const entry = kernel.spawn({ machine: standIn(serve), name, trapExit: true }, { id: name.slice(1), parent: kernel.outside });
    this.names.set(entry.pid, name);
    return entry;
  }

  /** A request of a caller that has ended is cancelled. */
  private serve(port: Port<Kind>, entry: Entry, message: Message): void {
    const { replyTo, ...request } = message as Message & { readonly replyTo?: ReplyTo };
    if (replyTo !== undefined && !this.kernel.calls.has(replyTo) && port.isProcess !== true) return;
    const answer = port.handle(this.world, request);
    for (const { to, event } of answer.sends ?? []) this.send(port.name, to, event);
    const event = answer.reply && this.pids.toRuntime(answer.reply);
    if (answer.start !== undefined) this.start(answer.start, replyTo && event && { replyTo, event });
    else if (replyTo !== undefined && event !== undefined) reply(entry, replyTo, event);
  }

  private noteEnd(pid: Pid, reason: ExitReason): void {
    const role = [...this.entries].find(([, entry]) => entry.pid === pid)?.[0];
    if (role === undefined) this.fault = `${pid} ended: ${JSON.stringify(reason)}`;
    else this.tellEnd(role, pid, reason);
  }

  private tellEnd(role: string, pid: Pid, reason: ExitReason): void {
    this.ends.set(pid, reason);
    for (const { port, watches } of this.system.undertakers ?? []) {
      if (watches.includes(role)) this.send(pid, port, { type: 'ended', role, reason });
    }
  }
}

interface Served {
  readonly message: Message;
}

function standIn(serve: (entry: Entry, message: Message) => void): AnyStateMachine {
  const actions = { serve: effect((entry, { message }: Served) => serve(entry, message)) };
  return setup({ types: { events: {} as Message }, actions }).createMachine({
    on: { '*': { actions: { type: 'serve', params: ({ event }) => ({ message: event }) } } },
  });
}

function messagesOf(signals: Iterable<object>): readonly Message[] {
  return Array.from(signals).flatMap((signal) => ('message' in signal ? [signal.message as Message] : []));
}

function isCrash(reason: ExitReason): boolean {
  return typeof reason === 'object' && 'error' in reason;
}
