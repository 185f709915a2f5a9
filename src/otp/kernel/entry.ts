/**
 * Entry: what the runtime keeps about one process, and what the parts of the runtime ask of one another.
 *
 * Only types and one lookup. The parts (exits, monitors, calls, behaviours, schedulers) are written against this file,
 * the kernel puts them together.
 */
import type { AnyActorRef, AnyStateMachine } from 'xstate';
import type { Clock } from '../../base/clock.ts';
import type { FewSet } from '../../base/few-set.ts';
import type { Ring } from '../../base/ring.ts';
import type { Address, CallFailed, ExitReason, MachineSpec, Message, Name, Pid, ProcessSpec, ReplyTo, Table } from '../process.ts';
import type { HeldMonitors } from './held-monitors.ts';
import type { ProcessEnd } from './process-summary.ts';
import type { Registry } from './registry.ts';
import type { HeapTimer, TimerHeap } from './timer-heap.ts';
import type { LifecycleRecord, TraceRecord } from './trace.ts';
import type { ActorSystem } from './xstate-seam.ts';

/** Where a signal comes from: a process, or the address of one that is not there. */
export interface Source {
  readonly pid: Address;
  readonly actor?: AnyActorRef | undefined;
}

/** What goes from one process to another. Signals of one pair arrive in the order in which they were sent. */
export type Signal =
  | { readonly kind: 'init'; readonly source: Source }
  | { readonly kind: 'message'; readonly source: Source; readonly message: Message }
  /** What the runtime tells a process that waits for it, the outcome of a start for one: no bound counts it, no mailbox drops it. */
  | { readonly kind: 'news'; readonly source: Source; readonly message: Message }
  | { readonly kind: 'reply'; readonly source: Source; readonly call: Call; readonly message: Message }
  | { readonly kind: 'exit'; readonly source: Source; readonly reason: ExitReason | 'kill'; readonly linked?: Entry }
  | { readonly kind: 'down'; readonly source: Source; readonly watch: Watch; readonly reason: ExitReason }
  | { readonly kind: 'timeout'; readonly source: Source; readonly timer: ProcessTimer }
  | { readonly kind: 'callFailed'; readonly source: Source; readonly call: Call; readonly reason: CallFailed['reason'] }
  | { readonly kind: 'silence'; readonly source: Source; readonly group: CallGroup };

export type MessageSignal = Extract<Signal, { kind: 'message' }>;

/** Told when its target ends. */
export type Watch = Monitor | Call;

export interface Monitor {
  readonly kind: 'monitor';
  readonly owner: Entry;
  readonly target: Entry | undefined;
  readonly address: Address;
  readonly as: string;
  /** False once its DOWN was delivered or it was taken back: a DOWN under way then vanishes. */
  active: boolean;
  /** Called instead of sending an event, when code outside of processes holds the monitor. */
  readonly settle?: ((reason: ExitReason) => void) | undefined;
}

export interface Call {
  readonly kind: 'call';
  readonly id: ReplyTo;
  readonly owner: Entry;
  readonly target: Entry | undefined;
  readonly to: Address;
  /** The type of the request. */
  readonly request: string;
  readonly as: string;
  timer: HeapTimer | undefined;
  /** The multicall that it is a part of. */
  readonly group?: CallGroup | undefined;
  /** Tells a port that nobody waits for the answer any more. */
  abort?: AbortController | undefined;
  /** Called instead of sending an event, when code outside of processes has called. */
  readonly settle?: ((answer: Message | undefined, failure: CallFailed['reason']) => void) | undefined;
}

/** Calls whose caller is told of them all together, and not of each. */
export interface CallGroup {
  /** One of its calls is closed, by its outcome or because it was given up. */
  release(): void;
  /** One of its calls, which is closed by now, got an answer, or failed for `reason`. */
  settle(opened: Call, source: Source, reason?: CallFailed['reason']): void;
  /** The time is over in which somebody should have answered, unless somebody has since. */
  receiveSilence(): void;
}

export interface Mailbox {
  readonly length: number;
  /** How many of the signals are messages. Only messages count towards the mailbox's bound. */
  readonly messageCount: number;
  push(signal: Signal): void;
  /** @returns the message that waits longest, taken out; undefined when only signals of other kinds wait. */
  takeOldestMessage(): MessageSignal | undefined;
  clear(): void;
}

/** What is particular to a kind of process: a machine, a port, the outside. */
export interface Behaviour {
  init(entry: Entry): void;
  receive(entry: Entry, source: Source, message: Message): void;
  /** Ends the process, at once or when it has given its resource back. */
  stop(entry: Entry, reason: ExitReason): void;
  /** Ends the process for a fault of its own. What it still has to do, closing for one, must not delay that without limit. */
  fail(entry: Entry, reason: ExitReason): void;
  /** Called once when the process has ended, however it ended. */
  dispose(entry: Entry): void;
  /** The machine's state value, or a word; for people. */
  state(entry: Entry): unknown;
}

/** One effect that a transition asked for; performed when the transition has succeeded. */
export interface PendingEffect {
  readonly perform: (entry: Entry, params: never) => void;
  readonly params: unknown;
}

/** The event that cancels a timer, if its process does not. */
export type Until = 'stateChange' | 'nextEvent';

export interface ProcessTimer {
  readonly name: string;
  readonly until: Until | undefined;
  /** Undefined for one of no delay: its time-out is queued already. */
  heap: HeapTimer | undefined;
  content: unknown;
}

/** A process that is asked for. */
export interface SpawnRequest {
  /** Which of the specification's `spawns`. */
  readonly template: string;
  /** With which the events begin that come of it. */
  readonly as: string;
  /** Last part of its path; default the template's name. The pid differs in any case. */
  readonly id?: string;
  /** What the specification is made of. */
  readonly args?: Message;
  /** The two end together. Default: no. */
  readonly link?: boolean;
  /** Its end is told. Default: no. */
  readonly monitor?: boolean;
}

/** A process whose start is waited for. */
export interface StartRequest extends SpawnRequest {
  /** How long the start may take, in milliseconds; default as long as it likes. */
  readonly timeoutMs?: number;
}

/** A start that its maker waits for. */
export interface AwaitedStart extends StartRequest {
  /** Its time is over, and the new process is being killed. */
  isLate?: boolean;
}

/** What processes of one kind have in common. */
export interface Traits {
  readonly kernel: Kernel;
  readonly behaviour: Behaviour;
  /** Undefined for a port. */
  readonly machine: AnyStateMachine | undefined;
  /** What it may spawn, by name. */
  readonly spawns: MachineSpec['spawns'];
  readonly trapExit: boolean;
  readonly mailboxMax: number;
  readonly mailboxOverflow: NonNullable<MachineSpec['mailboxOverflow']>;
  readonly hibernateAfterMs: number | undefined;
  readonly shutdown: number | 'infinity' | 'brutal_kill';
}

export interface Entry extends Source {
  readonly pid: Pid;
  /** The number in its pid. */
  readonly serial: number;
  /** The last part of its path; unique among the children of a supervisor. */
  readonly id: string;
  /** The ids from the root down; the pid is this and a number. */
  readonly path: string;
  readonly traits: Traits;
  readonly kernel: Kernel;
  readonly behaviour: Behaviour;
  /** Undefined once it has hibernated: it is needed at the start alone. */
  readonly spec: ProcessSpec | undefined;
  readonly parent: Entry | undefined;
  /** Place among its siblings when a tree is shown. */
  readonly order: number;
  readonly sinceMs: number;
  readonly shutdown: Traits['shutdown'];
  readonly trapExit: boolean;
  /** Its parent is told by STARTED or IGNORED, and by EXIT. */
  readonly isSupervised: boolean;
  /** How often its supervisor had started it before. */
  readonly restarts: number;
  alive: boolean;
  /** Its start has been acknowledged. */
  started: boolean;
  readonly handled: number;

  /** Whether the fields from here to `hibernates` exist at present (`AwakeState`). Reading one of the first of them makes them all. */
  readonly isAwake: boolean;
  readonly mailbox: Mailbox;
  /** Delivered before anything in the mailbox: answers of tables, then postponed events. */
  readonly urgent: Ring<Signal>;
  /** Inserted by effects of this transition. When it is over they go into `urgent`, before what is in there. */
  inserted: Signal[];
  postponed: Signal[];
  /** The scheduler knows that this process has something to do. */
  scheduled: boolean;
  actor: AnyActorRef | undefined;
  effects: PendingEffect[];
  /** The event being handled, for `postpone`. */
  current: Signal | undefined;
  /** Said by the effect `stop`. */
  stopReason: ExitReason | undefined;
  /** What was delivered while it was suspended; undefined when it is not. */
  suspended: Signal[] | undefined;
  /** Hibernation was asked for: it hibernates as soon as it is quiescent. */
  hibernatesSoon: boolean;
  /** Fires when the process may have been idle for long enough to hibernate. */
  idleTimer: HeapTimer | undefined;
  /** When it last had something to do, on the clock's scale; `idleTimer` looks at it. */
  activeAtMs: number;

  /** Whether the process is only a state value and a context, which are the next two fields. */
  readonly hibernates: boolean;
  value: unknown;
  context: unknown;
  /** What the history states remember, of a machine that has some and hibernates. */
  history: unknown;

  /** The names that it has at present; that of its specification is the first. */
  names: FewSet<Name> | undefined;
  label: string | undefined;
  tables: Readonly<Record<string, Table>> | undefined;
  links: Set<Entry> | undefined;
  /** Watches that this process holds, by the address it gave. */
  monitors: HeldMonitors<Monitor> | undefined;
  /** Watches that others hold on this process, in the order of their making. */
  watchers: FewSet<Watch> | undefined;
  /** Processes that a monitor has told of its end. A call that is open does not tell them again. */
  toldOwners: Set<Entry> | undefined;
  /** Its own calls that have no outcome yet. */
  calls: Set<Call> | undefined;
  timers: Map<string, ProcessTimer> | undefined;
  /** The timers that a change of state or an event cancels. They are kept apart, so that an event costs nothing for all others. */
  passing: Set<ProcessTimer> | undefined;
  /** The timer that ends it by force, if it has not ended by then. */
  overdue: HeapTimer | undefined;
  /** The start that its parent waits for. */
  awaitedStart: AwaitedStart | undefined;
  /** Messages that its mailbox had no room for. */
  dropped: number;

  noteHandled(): void;
  readonly hasChildren: boolean;
  /** In the order of their beginning; the present one may leave. */
  children(): Iterable<Entry>;
  /** Drops what only a process that is awake needs. What it holds of others, and they of it, stays. */
  dropAwakeState(): void;
}

export interface SpawnOptions {
  readonly id: string;
  readonly parent: Entry;
  readonly order?: number;
  readonly shutdown?: number | 'infinity' | 'brutal_kill';
  /** How often its supervisor has started it before. */
  readonly restarts?: number;
  /** Default true: the parent is told by STARTED or IGNORED, and by EXIT. */
  readonly isSupervised?: boolean;
}

export interface Kernel {
  readonly clock: Clock;
  /** When it was made, on the clock's scale. */
  readonly beganMs: number;
  readonly timers: TimerHeap;
  readonly system: ActorSystem;
  readonly registry: Registry<Entry>;
  readonly calls: Map<ReplyTo, Call>;
  readonly outside: Entry;
  /** Takes each record of the trace. Undefined while nobody listens: then no record is made. */
  readonly tracer: ((record: TraceRecord) => void) | undefined;
  /** Takes the records of starts, ends and restarts; listeners of the trace get them from here too. Undefined while nobody listens. */
  readonly lifecycle: ((record: LifecycleRecord) => void) | undefined;
  /** Takes what is told of each end. Undefined while nobody listens. */
  readonly ends: ((end: ProcessEnd) => void) | undefined;
  createMailbox(): Mailbox;
  /** Makes a process, which begins with its first signal. `parent` is told by STARTED, or by EXIT when the start fails. */
  spawn(spec: ProcessSpec, options: SpawnOptions): Entry;
  resolve(address: Address): Entry | undefined;
  /** Puts a signal on its way; one to the dead vanishes. */
  enqueue(target: Entry, signal: Signal): void;
  /** Tells the scheduler that `target` has something to do. */
  schedule(target: Entry): void;
  nextCallId(caller: Entry): ReplyTo;
  /** Takes the process out of the table of processes, and from the children of its parent. */
  forget(entry: Entry): void;
  end(entry: Entry, reason: ExitReason): void;
}

const entries = new WeakMap<object, Entry>();

/** Remembers whose actor this is: an effect finds its process by its actor. */
export function adopt(actor: AnyActorRef, entry: Entry): void {
  entry.actor = actor;
  entries.set(actor, entry);
}

export function entryOf(actor: object): Entry | undefined {
  return entries.get(actor);
}
