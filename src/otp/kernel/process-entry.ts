/**
 * ProcessEntry: what the runtime keeps about one process, and no more than it needs just now.
 *
 * Most processes of a large system wait, and there may be very many of them. So the record of a process has three parts:
 *
 * - ProcessEntry: the few fields that every process has.
 * - AwakeState: the mailbox, the actor and what else only a process needs that is awake. The first signal that reaches a
 *   process makes it; hibernation drops it.
 * - Holdings: names, monitors, links, timers, children and so on. The first of them makes it.
 *
 * A process that hibernates and holds nothing is its state value, its context, and a dozen fields.
 */
import type { AnyActorRef } from 'xstate';
import type { FewSet } from '../../base/few-set.ts';
import { Ring } from '../../base/ring.ts';
import type { AwaitedStart, Call, Entry, Mailbox, Monitor, PendingEffect, ProcessTimer, Signal, Traits, Watch } from './entry.ts';
import type { HeldMonitors } from './held-monitors.ts';
import type { ExitReason, Name, Pid, ProcessSpec, Table } from '../process.ts';
import type { HeapTimer } from './timer-heap.ts';

class AwakeState {
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
  hibernatesSoon = false;
  idleTimer: HeapTimer | undefined;
  activeAtMs = 0;

  constructor(pid: Pid, mailbox: Mailbox) {
    this.pid = pid;
    this.mailbox = mailbox;
  }
}

class Holdings {
  order: number | undefined;
  restarts = 0;
  label: string | undefined;
  names: FewSet<Name> | undefined;
  tables: Readonly<Record<string, Table>> | undefined;
  firstChild: ProcessEntry | undefined;
  lastChild: ProcessEntry | undefined;
  links: Set<Entry> | undefined;
  monitors: HeldMonitors<Monitor> | undefined;
  watchers: FewSet<Watch> | undefined;
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
/** Added for each event: the count stands above the three flags. */
const ONE_HANDLED = 8;

export class ProcessEntry implements Entry {
  readonly id: string;
  readonly parent: ProcessEntry | undefined;
  readonly traits: Traits;
  readonly serial: number;
  /** Whole milliseconds from the runtime's beginning to its own. */
  private readonly bornMs: number;
  /** State value and context of a process that hibernates; undefined while it is awake. */
  value: unknown = undefined;
  context: unknown = undefined;
  /** Flags in the low bits, and above them how many events it has handled: one number takes less than four fields. */
  private flags: number;
  private previous: ProcessEntry | undefined = undefined;
  private next: ProcessEntry | undefined = undefined;
  private awakeState: AwakeState | undefined = undefined;
  private holdings: Holdings | undefined = undefined;

  constructor({ id, serial, parent, traits, spec, order, restarts = 0, isSupervised = true, label }: EntryOptions) {
    this.id = id;
    this.serial = serial;
    this.parent = parent;
    this.traits = traits;
    this.flags = ALIVE | (isSupervised ? SUPERVISED : 0);
    this.bornMs = Math.round(traits.kernel.clock.nowMs() - traits.kernel.beganMs);
    if (spec !== undefined) this.ensureAwake().spec = spec;
    if (order !== undefined) this.ensureHoldings().order = order;
    if (restarts > 0) this.ensureHoldings().restarts = restarts;
    if (label !== undefined) this.ensureHoldings().label = label;
  }

  get pid(): Pid {
    return this.awakeState?.pid ?? pidOf(this);
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
    return this.awakeState !== undefined;
  }

  get hibernates(): boolean {
    return this.value !== undefined;
  }

  get spec() { return this.awakeState?.spec; }
  get mailbox() { return this.ensureAwake().mailbox; }
  get urgent() { return this.ensureAwake().urgent; }
  get inserted() { return this.ensureAwake().inserted; }
  set inserted(signals) { this.ensureAwake().inserted = signals; }
  get postponed() { return this.ensureAwake().postponed; }
  set postponed(signals) { this.ensureAwake().postponed = signals; }
  get effects() { return this.ensureAwake().effects; }
  set effects(effects) { this.ensureAwake().effects = effects; }
  get scheduled() { return this.awakeState?.scheduled ?? false; }
  set scheduled(is) { if (is || this.isAwake) this.ensureAwake().scheduled = is; }
  get actor() { return this.awakeState?.actor; }
  set actor(actor) { this.ensureAwake().actor = actor; }
  get current() { return this.awakeState?.current; }
  set current(signal) { if (signal !== undefined || this.isAwake) this.ensureAwake().current = signal; }
  get stopReason() { return this.awakeState?.stopReason; }
  set stopReason(reason) { this.ensureAwake().stopReason = reason; }
  get suspended() { return this.awakeState?.suspended; }
  set suspended(signals) { this.ensureAwake().suspended = signals; }
  get hibernatesSoon() { return this.awakeState?.hibernatesSoon ?? false; }
  set hibernatesSoon(is) { this.ensureAwake().hibernatesSoon = is; }
  get idleTimer() { return this.awakeState?.idleTimer; }
  set idleTimer(timer) { this.ensureAwake().idleTimer = timer; }
  get activeAtMs() { return this.awakeState?.activeAtMs ?? 0; }
  set activeAtMs(atMs) { this.ensureAwake().activeAtMs = atMs; }

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
  set dropped(count) { this.ensureHoldings().dropped = count; }

  /** In the order of their beginning. The next child is looked up first, so that the present one may be disowned. */
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
    const held = this.ensureHoldings();
    child.previous = held.lastChild;
    if (held.lastChild === undefined) held.firstChild = child;
    else held.lastChild.next = child;
    held.lastChild = child;
  }

  /** Called once for each child that was adopted. */
  disown(child: ProcessEntry): void {
    const held = this.ensureHoldings();
    if (child.previous === undefined) held.firstChild = child.next;
    else child.previous.next = child.next;
    if (child.next === undefined) held.lastChild = child.previous;
    else child.next.previous = child.previous;
    child.previous = undefined;
    child.next = undefined;
  }

  dropAwakeState(): void {
    this.awakeState = undefined;
    if (this.holdings !== undefined && isEmptied(this.holdings)) this.holdings = undefined;
  }

  private flag(which: number, is: boolean): void {
    const was = (this.flags & which) !== 0;
    if (is !== was) this.flags += is ? which : -which;
  }

  private ensureAwake(): AwakeState {
    return (this.awakeState ??= new AwakeState(pidOf(this), this.kernel.createMailbox()));
  }

  private ensureHoldings(): Holdings {
    return (this.holdings ??= new Holdings());
  }

  private hold<Kind extends keyof Holdings>(kind: Kind, what: Holdings[Kind]): void {
    if (what !== undefined || this.holdings !== undefined) this.ensureHoldings()[kind] = what;
  }
}

/** The outside is the parent of the roots and no process: it stands in no path. */
function pidOf({ parent, id, serial }: ProcessEntry): Pid {
  if (parent === undefined) return id as Pid;
  return (parent.parent === undefined ? `${id}#${serial}` : `${parent.path}/${id}#${serial}`) as Pid;
}

/** What is empty goes; the rest stays. @returns whether all of it went. */
function isEmptied(holdings: Holdings): boolean {
  for (const kind of EMPTIED) if (holdings[kind]?.size === 0) holdings[kind] = undefined;
  return Object.values(holdings).every((held) => held === undefined || held === 0);
}

const EMPTIED = ['names', 'links', 'monitors', 'watchers', 'toldOwners', 'calls', 'timers', 'passing'] as const;
