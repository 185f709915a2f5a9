/**
 * Kernel: the table of processes, and the way of a signal from one to the other.
 *
 * Nothing here runs a process inside another: sending only puts a signal on its way, and the scheduler alone calls
 * `deliver`. So there is no recursion between processes, and no order but the scheduler's.
 */
import type { AnyActorRef } from 'xstate';
import type { Clock } from '../base/clock.ts';
import { receiveFailure, receiveReply, refuseRequest } from './calls.ts';
import { entryOf, type Behaviour, type Entry, type Kernel, type MessageSignal, type Signal, type SpawnOptions } from './entry.ts';
import { crash } from './error-report.ts';
import { endProcess, receiveExit } from './exits.ts';
import { machineBehaviour } from './machine-process.ts';
import { receiveDown } from './monitors.ts';
import { outsideBehaviour } from './outside.ts';
import { portBehaviour } from './port-process.ts';
import { isPortSpec, type Address, type ExitReason, type Name, type Pid, type ProcessSpec, type ReplyTo } from './process.ts';
import { receiveTimeout } from './process-timers.ts';
import { Registry } from './registry.ts';
import { Ring } from './ring.ts';
import type { Scheduler } from './scheduler.ts';
import { holdBack } from './suspension.ts';
import { TimerHeap } from './timer-heap.ts';
import type { LifecycleRecord, TraceRecord } from './trace.ts';
import { createActorSystem, type ActorSystem, type Relay } from './xstate-seam.ts';

const MAILBOX_MAX = 100_000;
const SHUTDOWN_MS = 5_000;

/** A process was sent more than its mailbox may hold. */
export class MailboxOverflowError extends Error {
  override readonly name = 'MailboxOverflowError';
}

export class ProcessKernel implements Kernel {
  readonly clock: Clock;
  readonly timers: TimerHeap;
  readonly system: ActorSystem;
  readonly processes = new Map<Pid, Entry>();
  readonly registry = new Registry();
  readonly calls: Kernel['calls'] = new Map();
  readonly outside: Entry;
  tracer: ((record: TraceRecord) => void) | undefined;
  lifecycle: ((record: LifecycleRecord) => void) | undefined;
  private readonly scheduler: Scheduler;
  private pidCount = 0;
  private callCount = 0;

  constructor(clock: Clock, scheduler: Scheduler) {
    this.clock = clock;
    this.scheduler = scheduler;
    this.timers = new TimerHeap(clock);
    this.system = createActorSystem((deliver, source, target, event) => this.intercept(deliver, source, target, event));
    this.outside = this.makeOutside();
    scheduler.attach({ clock, deliver: (entry, signal) => this.deliver(entry, signal) });
  }

  spawn(spec: ProcessSpec, options: SpawnOptions): Entry {
    const { id, parent } = options;
    const path = parent === this.outside ? id : `${parent.path}/${id}`;
    this.pidCount += 1;
    const pid = `${path}#${this.pidCount}` as Pid;
    const behaviour = isPortSpec(spec) ? portBehaviour : machineBehaviour;
    const entry = this.makeEntry(pid, path, behaviour, { ...options, spec });
    this.processes.set(pid, entry);
    parent.children ??= new Set();
    parent.children.add(entry);
    this.lifecycle?.({ type: 'spawn', process: pid, parent: parent.pid, ...(spec.name === undefined ? {} : { name: spec.name }) });
    this.enqueue(entry, { kind: 'init', source: parent });
    return entry;
  }

  resolve(address: Address): Entry | undefined {
    return address.charCodeAt(0) === 64 /* @ */ ? this.registry.resolve(address as Name) : this.processes.get(address as Pid);
  }

  enqueue(target: Entry, signal: Signal): void {
    if (!target.alive) return;
    if (signal.kind === 'message' && waitingIn(target) >= target.mailboxMax && !this.makeRoom(target, signal)) return;
    if (this.tracer !== undefined && (signal.kind === 'message' || signal.kind === 'reply')) {
      this.tracer({ type: 'send', from: signal.source.pid, to: target.pid, message: signal.message });
    }
    target.mailbox.push(signal);
    this.wake(target);
  }

  wake(target: Entry): void {
    if (target.scheduled) return;
    target.scheduled = true;
    this.scheduler.ready(target);
  }

  nextCallId(caller: Entry): ReplyTo {
    this.callCount += 1;
    return `${caller.pid}!${this.callCount}` as ReplyTo;
  }

  end(entry: Entry, reason: ExitReason): void {
    endProcess(entry, reason);
  }

  private deliver(entry: Entry, signal: Signal): void {
    if (!entry.alive || holdBack(entry, signal)) return;
    switch (signal.kind) {
      case 'message':
        entry.behaviour.receive(entry, signal.source, signal.message);
        return;
      case 'init':
        this.begin(entry);
        return;
      case 'reply':
        receiveReply(signal.call, signal.source, signal.message);
        return;
      case 'exit':
        receiveExit(entry, signal);
        return;
      case 'down':
        if (signal.watch.kind === 'monitor') receiveDown(signal.watch, signal.source, signal.reason);
        else receiveFailure(signal.watch, signal.source, signal.reason);
        return;
      case 'timeout':
        receiveTimeout(entry, signal.timer);
        return;
      case 'callFailed':
        receiveFailure(signal.call, signal.source, signal.reason);
        return;
    }
  }

  /** The name first: who finds the process by its name finds one whose events will be handled in order. */
  private begin(entry: Entry): void {
    const name = entry.spec?.name;
    if (name !== undefined) {
      const holder = this.registry.register(entry, name);
      if (holder !== undefined) {
        this.end(entry, { error: { name: 'already_started', message: `${name} is ${holder.pid}` } });
        return;
      }
    }
    entry.behaviour.init(entry);
  }

  /** @returns whether there is room for `signal` now, in the mailbox of a process that has too much to do. */
  private makeRoom(target: Entry, signal: MessageSignal): boolean {
    if (target.mailboxOverflow === 'crash') {
      const claim = `more than ${target.mailboxMax} messages wait; the one too many is '${signal.message.type}' from ${signal.source.pid}`;
      target.behaviour.stop(target, crash(new MailboxOverflowError(claim)));
      return false;
    }
    const oldest = target.mailboxOverflow === 'drop_oldest' ? target.mailbox.takeOldestMessage() : undefined;
    const { message, source } = oldest ?? signal;
    target.dropped += 1;
    this.tracer?.({ type: 'drop', from: source.pid, to: target.pid, message });
    refuseRequest(target, message);
    return oldest !== undefined;
  }

  /** What xstate itself sends between actors. */
  private intercept(deliver: Relay, source: AnyActorRef | undefined, target: AnyActorRef, event: { type: string }): void {
    const from = source === undefined ? this.outside : entryOf(source);
    // The end of a process is told by `end` alone; xstate would make its parent fail with it.
    if (from !== undefined && from !== this.outside && isActorEnd(event.type)) return;
    const to = entryOf(target);
    if (to === undefined) deliver(source, target, event);
    else this.enqueue(to, { kind: 'message', source: from ?? to, message: event });
  }

  private makeOutside(): Entry {
    return this.makeEntry('outside' as Pid, '', outsideBehaviour, { id: 'outside', parent: undefined, spec: undefined });
  }

  private makeEntry(pid: Pid, path: string, behaviour: Behaviour, options: Omit<SpawnOptions, 'parent'> & { readonly parent: Entry | undefined; readonly spec: ProcessSpec | undefined }): Entry {
    const { id, spec, parent, order = 0, shutdown = SHUTDOWN_MS, restarts = 0, isSupervised = true } = options;
    const machine = spec === undefined || isPortSpec(spec) ? undefined : spec;
    return {
      pid, id, path, kernel: this, behaviour, spec, parent, order, shutdown,
      sinceMs: this.clock.nowMs(),
      trapExit: machine?.trapExit ?? spec === undefined,
      mailboxMax: machine?.mailboxMax ?? (spec === undefined ? Infinity : MAILBOX_MAX),
      mailboxOverflow: machine?.mailboxOverflow ?? 'crash',
      spawns: machine?.spawns,
      restarts, isSupervised, label: machine?.label, dropped: 0,
      mailbox: this.scheduler.createMailbox(),
      urgent: new Ring(), inserted: [], postponed: [], effects: [],
      scheduled: false, alive: true, started: false, handled: 0,
      actor: undefined, names: undefined, awaitedStart: undefined, suspended: undefined, tables: undefined, children: undefined, links: undefined,
      monitors: undefined, watchers: undefined, toldOwners: undefined, calls: undefined, timers: undefined, overdue: undefined,
      current: undefined, stopReason: undefined,
    };
  }
}

/** What the bound of a mailbox counts. */
function waitingIn({ mailbox, postponed, suspended }: Entry): number {
  return mailbox.length + postponed.length + (suspended?.length ?? 0);
}

function isActorEnd(type: string): boolean {
  return type.startsWith('xstate.done.actor.') || type.startsWith('xstate.error.actor.');
}
