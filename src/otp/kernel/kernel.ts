/**
 * Kernel: the table of processes, and the way of a signal from one to the other.
 *
 * Nothing here runs a process inside another: sending only puts a signal on its way, and the scheduler alone calls
 * `deliver`. So there is no recursion between processes, and no order but the scheduler's.
 */
import type { AnyActorRef } from 'xstate';
import type { Clock } from '../../base/clock.ts';
import { receiveFailure, receiveReply, refuseRequest } from './calls.ts';
import {
  entryOf, type Entry, type Kernel, type Mailbox, type MessageSignal, type Signal, type SpawnOptions, type Traits,
} from './entry.ts';
import { crash } from './error-report.ts';
import { endProcess, receiveExit } from './exits.ts';
import { receiveDown } from './monitors.ts';
import { outsideBehaviour } from './outside.ts';
import { isPortSpec, type Address, type ExitReason, type Name, type Pid, type ProcessSpec, type ReplyTo } from '../process.ts';
import { hibernateAfterDelivery } from './hibernation.ts';
import { ProcessEntry } from './process-entry.ts';
import type { ProcessEnd } from './process-summary.ts';
import { ProcessTable } from './process-table.ts';
import { receiveTimeout } from './process-timers.ts';
import { Registry } from './registry.ts';
import type { Scheduler } from '../schedulers/scheduler.ts';
import { holdBack } from './suspension.ts';
import { TimerHeap } from './timer-heap.ts';
import { TraitsTable } from './traits.ts';
import type { LifecycleRecord, TraceRecord } from './trace.ts';
import { createActorSystem, type ActorSystem, type Relay } from './xstate-seam.ts';

/** A process was sent more than its mailbox may hold. */
export class MailboxOverflowError extends Error {
  override readonly name = 'MailboxOverflowError';
}

export class ProcessKernel implements Kernel {
  readonly clock: Clock;
  readonly timers: TimerHeap;
  readonly system: ActorSystem;
  readonly processes = new ProcessTable<ProcessEntry>();
  readonly registry = new Registry<Entry>((source, to, message) => this.enqueue(to, { kind: 'message', source, message }));
  readonly calls: Kernel['calls'] = new Map();
  readonly beganMs: number;
  readonly outside: ProcessEntry;
  tracer: ((record: TraceRecord) => void) | undefined;
  lifecycle: ((record: LifecycleRecord) => void) | undefined;
  ends: ((end: ProcessEnd) => void) | undefined;
  private readonly scheduler: Scheduler;
  private readonly traits: TraitsTable;
  private spawned = 0;
  private callCount = 0;

  constructor(clock: Clock, scheduler: Scheduler) {
    this.clock = clock;
    this.beganMs = clock.nowMs();
    this.traits = new TraitsTable(this);
    this.scheduler = scheduler;
    this.timers = new TimerHeap(clock);
    this.system = createActorSystem((deliver, source, target, event) => this.intercept(deliver, source, target, event));
    this.outside = outsideOf(this);
    scheduler.attach({ clock, deliver: (entry, signal) => this.deliver(entry, signal) });
  }

  spawn(spec: ProcessSpec, { id, parent, shutdown, ...options }: SpawnOptions & { readonly parent: ProcessEntry }): ProcessEntry {
    this.spawned += 1;
    const traits = this.traits.of(spec, shutdown);
    const label = isPortSpec(spec) ? undefined : spec.label;
    const entry = new ProcessEntry({ id, parent, traits, spec, serial: this.spawned, ...options, label });
    this.processes.add(entry);
    parent.adopt(entry);
    this.lifecycle?.({ type: 'spawn', process: entry.pid, parent: parent.pid, ...(spec.name === undefined ? {} : { name: spec.name }) });
    this.enqueue(entry, { kind: 'init', source: parent });
    return entry;
  }

  createMailbox(): Mailbox {
    return this.scheduler.createMailbox();
  }

  forget(entry: ProcessEntry): void {
    this.processes.delete(entry);
    entry.parent?.disown(entry);
  }

  resolve(address: Address): Entry | undefined {
    return address.charCodeAt(0) === 64 /* @ */ ? this.registry.resolve(address as Name) : this.processes.get(address as Pid);
  }

  enqueue(target: Entry, signal: Signal): void {
    if (!target.alive) return;
    if (signal.kind === 'message' && isFull(target) && !this.makeRoom(target, signal)) return;
    if (this.tracer !== undefined && 'message' in signal) {
      this.tracer({ type: 'send', from: signal.source.pid, to: target.pid, message: signal.message });
    }
    target.mailbox.push(signal);
    this.schedule(target);
  }

  schedule(target: Entry): void {
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
    if (holdBack(entry, signal)) return;
    try {
      this.hand(entry, signal);
      hibernateAfterDelivery(entry);
    } catch (thrown) {
      // Code without types may give anything for a machine, a message or an answer. It throws where it is used: here.
      if (entry === this.outside) throw thrown;
      this.end(entry, crash(thrown));
    }
  }

  private hand(entry: Entry, signal: Signal): void {
    switch (signal.kind) {
      case 'message':
      case 'news':
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
      case 'silence':
        signal.group.receiveSilence();
        return;
    }
  }

  /** The name is taken first: who finds the process by its name may send to it, and its events are handled in order. */
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
    if (target.traits.mailboxOverflow === 'crash') {
      const { message, source } = signal;
      const claim = `more than ${target.traits.mailboxMax} messages wait; the one too many is '${message.type}' from ${source.pid}`;
      target.behaviour.fail(target, crash(new MailboxOverflowError(claim)));
      return false;
    }
    const oldest = target.traits.mailboxOverflow === 'drop_oldest' ? takeOldestMessage(target) : undefined;
    const { message, source } = oldest ?? signal;
    target.dropped += 1;
    this.tracer?.({ type: 'drop', from: source.pid, to: target.pid, message });
    refuseRequest(target, message);
    return oldest !== undefined;
  }

  /** xstate itself has an event for an actor. */
  private intercept(deliver: Relay, source: AnyActorRef | undefined, target: AnyActorRef, event: { type: string }): void {
    const from = source === undefined ? this.outside : entryOf(source);
    // The end of a process is told by `end` alone; xstate would make its parent fail with it.
    if (from !== undefined && isActorEnd(event.type)) return;
    const to = entryOf(target);
    if (to === undefined) deliver(source, target, event);
    else this.enqueue(to, { kind: 'message', source: from ?? to, message: event });
  }
}

/** The parent of the roots, and the sender of what code around the processes sends. It is no process. */
function outsideOf(kernel: Kernel): ProcessEntry {
  const traits: Traits = {
    kernel, behaviour: outsideBehaviour, machine: undefined, spawns: undefined, trapExit: true, shutdown: 'infinity',
    mailboxMax: Infinity, mailboxOverflow: 'crash', hibernateAfterMs: undefined,
  };
  return new ProcessEntry({ id: 'outside', serial: 0, parent: undefined, traits, spec: undefined });
}

/** Postponed messages stay, since the process has seen them. @returns undefined when no other message waits. */
function takeOldestMessage({ suspended = [], mailbox }: Entry): MessageSignal | undefined {
  const index = suspended.findIndex(({ kind }) => kind === 'message');
  const [oldest] = index < 0 ? [] : suspended.splice(index, 1);
  return oldest?.kind === 'message' ? oldest : mailbox.takeOldestMessage();
}

/** Messages alone count, the postponed ones among them. What the runtime tells a process must not push out a message, or end it. */
function isFull({ mailbox, postponed, suspended = [], traits: { mailboxMax } }: Entry): boolean {
  const elsewhere = mailbox.messageCount + postponed.length;
  if (elsewhere + suspended.length < mailboxMax) return false;
  return elsewhere + suspended.filter(({ kind }) => kind === 'message').length >= mailboxMax;
}

function isActorEnd(type: string): boolean {
  return type.startsWith('xstate.done.actor.') || type.startsWith('xstate.error.actor.');
}
