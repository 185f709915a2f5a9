/**
 * ProcessEntry: what the runtime keeps about one process, and no more than it needs just now.
 *
 * Most processes of a large system wait. So what a process has is in three parts: the few fields of every process, here;
 * what only one that is awake needs (Wakefulness: mailbox, actor, and so on), made by the first signal that reaches it
 * and dropped when it hibernates; and what it holds of others and others hold of it (Holdings), made by the first such
 * thing. A process that hibernates and holds nothing is its state value, its context, and a dozen fields.
 */
import type { AnyActorRef } from 'xstate';
import type { AwaitedStart, Call, Entry, Mailbox, Monitor, PendingEffect, ProcessTimer, Signal, Traits, Watch } from './entry.ts';
import type { Address, ExitReason, Name, Pid, ProcessSpec, Table } from '../process.ts';
import { Ring } from './ring.ts';
import type { HeapTimer } from './timer-heap.ts';

class Wakefulness {
  readonly pid: Pid;
  readonly mailbox: Mailbox;
  readonly urgent = new Ring<Signal>();
  inserted: Signal[] = [];
  postponed: Signal[] = [];
  effects: PendingEffect[] = [];
  scheduled = false;
  spec: ProcessSpec | undefined;
  actor: AnyActorRef | undefined;
  current: Signal | undefined;
  stopReason: ExitReason | undefined;
  suspended: Signal[] | undefined;
  drowsy = false;
  rest: HeapTimer | undefined;
  activeMs = 0;

  constructor(pid: Pid, mailbox: Mailbox) {
    this.pid = pid;
    this.mailbox = mailbox;
  }
}

class Holdings {
  order: number | undefined;
  restarts = 0;
  label: string | undefined;
  names: Set<Name> | undefined;
  tables: Readonly<Record<string, Table>> | undefined;
  firstChild: ProcessEntry | undefined;
  lastChild: ProcessEntry | undefined;
  links: Set<Entry> | undefined;
  monitors: Map<Address, Monitor[]> | undefined;
  watchers: Set<Watch> | undefined;
  toldOwners: Set<Entry> | undefined;
  calls: Set<Call> | undefined;
  timers: Map<string, ProcessTimer> | undefined;
  passing: Set<ProcessTimer> | undefined;
  overdue: HeapTimer | undefined;
  awaitedStart: AwaitedStart | undefined;
  history: unknown;
  dropped = 0;
}

export interface EntryOptions {
  readonly id: string;
  readonly serial: number;
  readonly parent: ProcessEntry | undefined;
  readonly traits: Traits;
  readonly spec: ProcessSpec | undefined;
  readonly order?: number | undefined;
  readonly restarts?: number | undefined;
  readonly isSupervised?: boolean | undefined;
  readonly label?: string | undefined;
}

const ALIVE = 1;
const STARTED = 2;
const SUPERVISED = 4;
/** What is counted stands above the flags. */
const ONE_HANDLED = 8;

export class ProcessEntry implements Entry {
  readonly id: string;
  readonly parent: ProcessEntry | undefined;
  readonly traits: Traits;
  readonly serial: number;
  /** Whole milliseconds from the runtime's beginning to its own. */
  private readonly bornMs: number;
  /** Of a process that hibernates; undefined while it is awake. */
  value: unknown = undefined;
  context: unknown = undefined;
  /** Its flags, and how many events it has handled: one small number, for there may be very many of these. */
  private flags: number;
  private previous: ProcessEntry | undefined = undefined;
  private next: ProcessEntry | undefined = undefined;
  private wakefulness: Wakefulness | undefined = undefined;
  private holdings: Holdings | undefined = undefined;

  constructor({ id, serial, parent, traits, spec, order, restarts = 0, isSupervised = true, label }: EntryOptions) {
    this.id = id;
    this.serial = serial;
    this.parent = parent;
    this.traits = traits;
    this.flags = ALIVE | (isSupervised ? SUPERVISED : 0);
    this.bornMs = Math.round(traits.kernel.clock.nowMs() - traits.kernel.beganMs);
    if (spec !== undefined) this.awake().spec = spec;
    if (order !== undefined) this.held().order = order;
    if (restarts > 0) this.held().restarts = restarts;
    if (label !== undefined) this.held().label = label;
  }

  get pid(): Pid {
    return this.wakefulness?.pid ?? pidOf(this);
  }

  get path(): string {
    const { pid } = this;
    return pid.slice(0, pid.lastIndexOf('#'));
  }

  get kernel() {
    return this.traits.kernel;
  }

  get behaviour() {
    return this.traits.behaviour;
  }

  get shutdown() {
    return this.traits.shutdown;
  }

  get trapExit() {
    return this.traits.trapExit;
  }

  get order(): number {
    return this.holdings?.order ?? this.serial;
  }

  get restarts(): number {
    return this.holdings?.restarts ?? 0;
  }

  get sinceMs(): number {
    return this.kernel.beganMs + this.bornMs;
  }

  get handled(): number {
    return Math.floor(this.flags / ONE_HANDLED);
  }

  noteHandled(): void {
    this.flags += ONE_HANDLED;
  }

  get isSupervised(): boolean {
    return (this.flags & SUPERVISED) !== 0;
  }

  get alive(): boolean {
    return (this.flags & ALIVE) !== 0;
  }

  set alive(is: boolean) {
    this.flag(ALIVE, is);
  }

  get started(): boolean {
    return (this.flags & STARTED) !== 0;
  }

  set started(is: boolean) {
    this.flag(STARTED, is);
  }

  get isAwake(): boolean {
    return this.wakefulness !== undefined;
  }

  get hibernates(): boolean {
    return this.value !== undefined;
  }

  get spec() { return this.wakefulness?.spec; }
  get mailbox() { return this.awake().mailbox; }
  get urgent() { return this.awake().urgent; }
  get inserted() { return this.awake().inserted; }
  set inserted(signals) { this.awake().inserted = signals; }
  get postponed() { return this.awake().postponed; }
  set postponed(signals) { this.awake().postponed = signals; }
  get effects() { return this.awake().effects; }
  set effects(effects) { this.awake().effects = effects; }
  get scheduled() { return this.wakefulness?.scheduled ?? false; }
  set scheduled(is) { if (is || this.isAwake) this.awake().scheduled = is; }
  get actor() { return this.wakefulness?.actor; }
  set actor(actor) { this.awake().actor = actor; }
  get current() { return this.wakefulness?.current; }
  set current(signal) { this.awake().current = signal; }
  get stopReason() { return this.wakefulness?.stopReason; }
  set stopReason(reason) { this.awake().stopReason = reason; }
  get suspended() { return this.wakefulness?.suspended; }
  set suspended(signals) { this.awake().suspended = signals; }
  get drowsy() { return this.wakefulness?.drowsy ?? false; }
  set drowsy(is) { this.awake().drowsy = is; }
  get rest() { return this.wakefulness?.rest; }
  set rest(timer) { this.awake().rest = timer; }
  get activeMs() { return this.wakefulness?.activeMs ?? 0; }
  set activeMs(atMs) { this.awake().activeMs = atMs; }

  get names() { return this.holdings?.names; }
  set names(names) { this.hold('names', names); }
  get label() { return this.holdings?.label; }
  set label(label) { this.hold('label', label); }
  get tables() { return this.holdings?.tables; }
  set tables(tables) { this.hold('tables', tables); }
  get links() { return this.holdings?.links; }
  set links(links) { this.hold('links', links); }
  get monitors() { return this.holdings?.monitors; }
  set monitors(monitors) { this.hold('monitors', monitors); }
  get watchers() { return this.holdings?.watchers; }
  set watchers(watchers) { this.hold('watchers', watchers); }
  get toldOwners() { return this.holdings?.toldOwners; }
  set toldOwners(owners) { this.hold('toldOwners', owners); }
  get calls() { return this.holdings?.calls; }
  set calls(calls) { this.hold('calls', calls); }
  get timers() { return this.holdings?.timers; }
  set timers(timers) { this.hold('timers', timers); }
  get passing() { return this.holdings?.passing; }
  set passing(timers) { this.hold('passing', timers); }
  get overdue() { return this.holdings?.overdue; }
  set overdue(timer) { this.hold('overdue', timer); }
  get awaitedStart() { return this.holdings?.awaitedStart; }
  set awaitedStart(request) { this.hold('awaitedStart', request); }
  get history() { return this.holdings?.history; }
  set history(history) { this.hold('history', history); }
  get dropped() { return this.holdings?.dropped ?? 0; }
  set dropped(count) { this.held().dropped = count; }

  /** In the order of their beginning. The next one is found first, so that the present one may leave. */
  *children(): Iterable<ProcessEntry> {
    let child = this.holdings?.firstChild;
    while (child !== undefined) {
      const { next } = child;
      yield child;
      child = next;
    }
  }

  get hasChildren(): boolean {
    return this.holdings?.firstChild !== undefined;
  }

  adopt(child: ProcessEntry): void {
    const held = this.held();
    child.previous = held.lastChild;
    if (held.lastChild === undefined) held.firstChild = child;
    else held.lastChild.next = child;
    held.lastChild = child;
  }

  /** Once for each that was adopted. */
  disown(child: ProcessEntry): void {
    const held = this.held();
    if (child.previous === undefined) held.firstChild = child.next;
    else child.previous.next = child.next;
    if (child.next === undefined) held.lastChild = child.previous;
    else child.next.previous = child.previous;
    child.previous = undefined;
    child.next = undefined;
  }

  /** Nothing is left of being awake; what is held stays. */
  fallAsleep(): void {
    this.wakefulness = undefined;
    if (this.holdings !== undefined && isEmpty(this.holdings)) this.holdings = undefined;
  }

  private flag(which: number, is: boolean): void {
    const was = (this.flags & which) !== 0;
    if (is !== was) this.flags += is ? which : -which;
  }

  private awake(): Wakefulness {
    return (this.wakefulness ??= new Wakefulness(pidOf(this), this.kernel.createMailbox()));
  }

  private held(): Holdings {
    return (this.holdings ??= new Holdings());
  }

  private hold<Kind extends keyof Holdings>(kind: Kind, what: Holdings[Kind]): void {
    if (what !== undefined || this.holdings !== undefined) this.held()[kind] = what;
  }
}

/** The outside, parent of the roots, is no process and in no path. */
function pidOf({ parent, id, serial }: ProcessEntry): Pid {
  if (parent === undefined) return id as Pid;
  return (parent.parent === undefined ? `${id}#${serial}` : `${parent.path}/${id}#${serial}`) as Pid;
}

function isEmpty(holdings: Holdings): boolean {
  return Object.values(holdings).every((held) => held === undefined || held === 0 || (held instanceof Set && held.size === 0) || (held instanceof Map && held.size === 0));
}
