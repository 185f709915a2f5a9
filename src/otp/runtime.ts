/**
 * Runtime: processes seen from outside.
 *
 * Everything that is not a process (the roof, a test, an HTTP handler) reaches processes through this; it gets promises
 * for what a process would get as an event.
 */
import type { AnyActorRef, AnyStateMachine, InspectionEvent } from 'xstate';
import { systemClock, type Clock } from '../base/clock.ts';
import { call } from './kernel/calls.ts';
import type { Entry } from './kernel/entry.ts';
import { describeReason, inJson } from './kernel/error-report.ts';
import { ProcessKernel } from './kernel/kernel.ts';
import { InvalidExitReasonError } from './kernel/machine-process.ts';
import { monitor } from './kernel/monitors.ts';
import { whenStarted } from './kernel/outside.ts';
import { specOf } from './kernel/starts.ts';
import { describeProcess, type ProcessInfo } from './kernel/process-info.ts';
import type { ProcessEnd, ProcessSummary } from './kernel/process-summary.ts';
import { standingOf, type Standing } from './kernel/standing.ts';
import { summaryOf, waitingIn } from './kernel/summaries.ts';
import {
  isExitReason, type Address, type CallFailed, type ExitReason, type Message, type Name, type Pid, type ProcessSpec, type Table,
} from './process.ts';
import { suspend, resume } from './kernel/suspension.ts';
import { productionScheduler } from './schedulers/production-scheduler.ts';
import type { Registration } from './kernel/registry.ts';
import type { Scheduler } from './schedulers/scheduler.ts';
import type { LifecycleRecord, NumberedRecord, TraceRecord } from './kernel/trace.ts';
import { printTree, treeOf, type ProcessTree } from './tree.ts';

/** What a runtime stands on. */
export interface RuntimeOptions {
  /** Default: that of this machine. */
  readonly clock?: Clock;
  /** Default: the production scheduler, which runs by itself. The choosing ones run by `step` and `drain`. */
  readonly scheduler?: Scheduler;
  /** Listens from the first record on. */
  readonly trace?: (record: NumberedRecord) => void;
}

/** A call got no answer. */
export class CallError extends Error {
  override readonly name = 'CallError';
  /** Why: how `to` ended, or that it took too long, or was overloaded. */
  readonly reason: CallFailed['reason'];

  constructor(to: Address, request: string, reason: CallFailed['reason']) {
    super(`'${request}' to ${to} got no answer: ${describeReason(reason)}`);
    this.reason = reason;
  }
}

/** Processes, seen from outside of them. */
export interface Runtime {
  /**
   * Starts a root.
   *
   * @param options.timeoutMs how long the start may take; default as long as it likes.
   * @returns its pid once it has started.
   * @throws {StartError} with the reason; nothing of it is left.
   */
  start(spec: ProcessSpec, options: { readonly id: string; readonly timeoutMs?: number }): Promise<Pid>;
  /** Vanishes when nobody is there. */
  send(to: Address, message: Message): void;
  /** @returns the reply. @throws {CallError} when the process is not there, ends before it answers, or takes longer than `timeoutMs`. */
  call(to: Address, request: Message, timeoutMs?: number): Promise<Message>;
  /** @throws {InvalidExitReasonError} */
  exit(process: Address, reason: ExitReason | 'kill'): void;
  /** Who has the name now; undefined when nobody has. */
  whereis(name: Name): Pid | undefined;
  /** Who has the name, and what it says besides. */
  lookup(name: Name): Registration | undefined;
  /** What is registered by `via` in that registry, oldest first. */
  registered(registry: string): readonly Registration[];
  /** The xstate actor of a living process, for an inspector; undefined when it has ended, has not begun or hibernates. */
  refOf(process: Address): AnyActorRef | undefined;
  /** A process as it is now; undefined when it has ended. */
  processInfo(process: Address): ProcessInfo | undefined;
  /** Where its machine stands; undefined when there is no such process, or it is a port. Costs a look-up: nothing is copied. */
  standing(process: Address): Standing | undefined;
  /** Its machine; undefined when there is no such process, or it is a port. */
  machineOf(process: Address): AnyStateMachine | undefined;
  /** Of all that live, in the order of their beginning, each as it is when it is reached. To be walked at once. */
  processes(): Iterable<ProcessSummary>;
  /** Of all that live, how many they are, how many signals wait, and how many for the one that has most. Looks at each. */
  load(): { readonly processes: number; readonly waiting: number; readonly longest: number };
  /** A table of a living process, to be read and never changed; undefined when there is no such process or table. */
  tableOf(process: Address, table: string): Table | undefined;
  /** Resolves when the process has ended; `noproc` when it has already. */
  whenDown(process: Address): Promise<ExitReason>;
  /** Until `resume` the process handles nothing, and only an exit can end it. Its timers run on, and its mailbox fills. */
  suspend(process: Address): void;
  /** It goes on with what waits. */
  resume(process: Address): void;
  /** The roots that live, with all that is below them. */
  tree(): readonly ProcessTree[];
  /** The same as text, a line for each process. */
  printTree(): string;
  /** Asks a root to end, and resolves when it and everything below it have. */
  stop(root: Address, reason?: ExitReason | 'kill'): Promise<ExitReason>;
  /**
   * For code that a delivery calls, and that has woken somebody outside by a promise: that comes before the next delivery. Without it the
   * runtime may go on for its millisecond first.
   */
  giveWay(): void;
  /** Delivers one signal. @returns false when there is none. */
  step(): boolean;
  /** Steps until nothing is left to deliver. Does not wait for timers or I/O. @returns the number of steps. */
  drain(): number;
  /**
   * xstate's inspection events of the whole tree. It begins with the actors that there are; a process that hibernates appears
   * when it wakes. @returns how to end it.
   */
  inspect(observer: (event: InspectionEvent) => void): () => void;
  /** Numbered records of all that happens. @returns how to end it. */
  trace(listener: (record: NumberedRecord) => void): () => void;
  /** Starts, ends and restarts of processes alone: listening costs nothing per message. @returns how to end it. */
  lifecycle(listener: (record: LifecycleRecord) => void): () => void;
  /** Each end as it happens, before anybody is told of it. Costs nothing per message. @returns how to end it. */
  ends(listener: (end: ProcessEnd) => void): () => void;
}

/** A runtime without processes. It needs no closing: it is gone with its last root. */
export function createRuntime(options: RuntimeOptions = {}): Runtime {
  const clock = options.clock ?? systemClock;
  const scheduler = options.scheduler ?? productionScheduler();
  const kernel = new ProcessKernel(clock, scheduler);
  const runtime = new KernelRuntime(kernel, scheduler);
  if (options.trace !== undefined) runtime.trace(options.trace);
  return runtime;
}

class KernelRuntime implements Runtime {
  private readonly kernel: ProcessKernel;
  private readonly scheduler: Scheduler;
  private readonly listeners = new Set<(record: TraceRecord) => void>();
  private readonly lifecycleListeners = new Set<(record: LifecycleRecord) => void>();
  private readonly endListeners = new Set<(end: ProcessEnd) => void>();

  constructor(kernel: ProcessKernel, scheduler: Scheduler) {
    this.kernel = kernel;
    this.scheduler = scheduler;
  }

  async start(spec: ProcessSpec, { id, timeoutMs }: { readonly id: string; readonly timeoutMs?: number }): Promise<Pid> {
    if (timeoutMs !== undefined && !(timeoutMs >= 0)) throw new RangeError(`${id} cannot take ${timeoutMs} ms to start`);
    return whenStarted(this.kernel.spawn(specOf(() => spec), { id, parent: this.kernel.outside }), timeoutMs);
  }

  send(to: Address, message: Message): void {
    const target = this.kernel.resolve(to);
    if (target !== undefined) this.kernel.enqueue(target, { kind: 'message', source: this.kernel.outside, message });
  }

  call(to: Address, request: Message, timeoutMs?: number): Promise<Message> {
    return new Promise((resolve, reject) => {
      call(this.kernel.outside, { to, request, timeoutMs }, undefined, (answer, failure) => {
        if (answer !== undefined) resolve(answer);
        else reject(new CallError(to, request.type, failure));
      });
    });
  }

  exit(process: Address, reason: ExitReason | 'kill'): void {
    if (reason !== 'kill' && !isExitReason(reason)) {
      throw new InvalidExitReasonError(`${inJson(reason)}, given to ${process}, is no exit reason`);
    }
    const target = this.kernel.resolve(process);
    if (target !== undefined) this.kernel.enqueue(target, { kind: 'exit', source: this.kernel.outside, reason });
  }

  whereis(name: Name): Pid | undefined {
    return this.kernel.registry.resolve(name)?.pid;
  }

  lookup(name: Name): Registration | undefined {
    return this.kernel.registry.lookup(name);
  }

  registered(registry: string): readonly Registration[] {
    return [...this.kernel.registry.registered(registry)];
  }

  refOf(process: Address): AnyActorRef | undefined {
    return this.kernel.resolve(process)?.actor;
  }

  processInfo(process: Address): ProcessInfo | undefined {
    const entry = this.kernel.resolve(process);
    return entry === undefined ? undefined : describeProcess(entry);
  }

  standing(process: Address): Standing | undefined {
    const entry = this.kernel.resolve(process);
    return entry === undefined ? undefined : standingOf(entry);
  }

  machineOf(process: Address): AnyStateMachine | undefined {
    return this.kernel.resolve(process)?.traits.machine;
  }

  *processes(): Iterable<ProcessSummary> {
    for (const entry of this.kernel.processes.values()) yield summaryOf(entry);
  }

  load(): { readonly processes: number; readonly waiting: number; readonly longest: number } {
    let [waiting, longest] = [0, 0];
    for (const entry of this.kernel.processes.values()) {
      const length = waitingIn(entry);
      waiting += length;
      if (length > longest) longest = length;
    }
    return { processes: this.kernel.processes.size, waiting, longest };
  }

  tableOf(process: Address, table: string): Table | undefined {
    return this.kernel.resolve(process)?.tables?.[table];
  }

  whenDown(process: Address): Promise<ExitReason> {
    return new Promise((resolve) => monitor(this.kernel.outside, process, 'outside', resolve));
  }

  suspend(process: Address): void {
    const entry = this.kernel.resolve(process);
    if (entry !== undefined) suspend(entry);
  }

  resume(process: Address): void {
    const entry = this.kernel.resolve(process);
    if (entry !== undefined) resume(entry);
  }

  tree(): readonly ProcessTree[] {
    return treeOf(this.kernel.outside);
  }

  printTree(): string {
    return printTree(this.tree());
  }

  async stop(root: Address, reason: ExitReason | 'kill' = 'shutdown'): Promise<ExitReason> {
    const pid = this.kernel.resolve(root)?.pid ?? root;
    this.exit(pid, reason);
    const ended = await this.whenDown(pid);
    // A root that was killed could not wait for those below it.
    for (let left = this.below(pid); left.length > 0; left = this.below(pid)) {
      await Promise.all(left.map((process) => this.whenDown(process)));
    }
    return ended;
  }

  private below(root: Address): readonly Pid[] {
    return [...this.kernel.processes.values()].filter((entry) => isBelow(entry, root)).map(({ pid }) => pid);
  }

  giveWay(): void {
    this.scheduler.giveWay();
  }

  step(): boolean {
    return this.scheduler.step();
  }

  drain(): number {
    let steps = 0;
    while (this.scheduler.step()) steps += 1;
    return steps;
  }

  inspect(observer: (event: InspectionEvent) => void): () => void {
    const { node, inspect } = this.kernel.system;
    const born = (actorRef: AnyActorRef) => observer({ type: '@xstate.actor', actorRef, rootId: node.sessionId });
    born(node);
    for (const { actor } of this.kernel.processes.values()) if (actor !== undefined) born(actor);
    return inspect(observer);
  }

  trace(listener: (record: NumberedRecord) => void): () => void {
    let n = 0;
    const numbered = (record: TraceRecord) => {
      n += 1;
      listener({ n, atMs: this.kernel.clock.nowMs(), ...record });
    };
    this.listeners.add(numbered);
    this.listen();
    return () => {
      this.listeners.delete(numbered);
      this.listen();
    };
  }

  lifecycle(listener: (record: LifecycleRecord) => void): () => void {
    // A function of its own for each call: whoever listens twice is told twice, and can stop one of the two.
    const own = (record: LifecycleRecord) => listener(record);
    this.lifecycleListeners.add(own);
    this.listen();
    return () => {
      this.lifecycleListeners.delete(own);
      this.listen();
    };
  }

  ends(listener: (end: ProcessEnd) => void): () => void {
    const own = (end: ProcessEnd) => listener(end);
    this.endListeners.add(own);
    this.listen();
    return () => {
      this.endListeners.delete(own);
      this.listen();
    };
  }

  private listen(): void {
    this.kernel.ends = tellAll([...this.endListeners], this.kernel.clock);
    this.kernel.tracer = tellAll([...this.listeners], this.kernel.clock);
    this.kernel.lifecycle = tellAll([...this.listeners, ...this.lifecycleListeners], this.kernel.clock);
  }
}

/** By its ancestors and not by its path: roots may share an id. */
function isBelow({ parent }: Entry, root: Address): boolean {
  for (let ancestor = parent; ancestor !== undefined; ancestor = ancestor.parent) if (ancestor.pid === root) return true;
  return false;
}

/** Undefined when nobody listens: then no record is made. */
function tellAll<Told>(listeners: readonly ((record: Told) => void)[], clock: Clock): ((record: Told) => void) | undefined {
  return listeners.length === 0 ? undefined : (record) => listeners.forEach((listener) => tellOne(listener, record, clock));
}

/** What a listener throws must not break off what it is told of in the middle, nor reach a process: the clock throws it. */
function tellOne<Told>(listener: (record: Told) => void, record: Told, clock: Clock): void {
  try {
    listener(record);
  } catch (thrown) {
    clock.setTimer(() => {
      throw thrown;
    }, 0);
  }
}
