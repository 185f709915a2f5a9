/**
 * BesiegedSupervisor: the supervisor of production in the runtime of production, three children, and a world that may
 * let any of them crash, finish, come up late, fail to come up or be slow to stop, ask for changes and stop the supervisor, each at
 * any time. Every order of delivery is a way to go on. Mishaps and requests are bounded by their number; to come up late
 * or to obey late is no mishap, until the time to stop is over.
 */
import { setup } from 'xstate';
import type { ChildSpec, Restart, SupervisorSpec } from '../../../src/otp/supervision/child-spec.ts';
import { ChildTable } from '../../../src/otp/supervision/child-table.ts';
import { choosingScheduler, type Candidate, type ChoosingScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import { effects } from '../../../src/otp/effects.ts';
import type { Entry, Signal } from '../../../src/otp/kernel/entry.ts';
import type { MachineSpec, Message, Pid } from '../../../src/otp/process.ts';
import { createRuntime, type Runtime } from '../../../src/otp/runtime.ts';
import type { Scheduler } from '../../../src/otp/schedulers/scheduler.ts';
import { supervisor } from '../../../src/otp/supervision/supervisor.ts';
import type { ProcessTree } from '../../../src/otp/tree.ts';
import { ManualClock } from '../manual-clock.ts';
import type { Option, Run } from './exhaustive.ts';

export interface Siege {
  readonly strategy: SupervisorSpec['strategy'];
  /** Of `a`, `b` and `c`, in order of start. */
  readonly restarts: readonly [Restart, Restart, Restart];
  readonly maxRestarts: number;
  readonly mishapsMax: number;
  /** Whether a child may finish in good order too, or find at its start that it is not needed, and not only crash. */
  readonly mayFinish: boolean;
  /** How often it may be asked, at any time, to stop, start again or delete a child. */
  readonly requestsMax: number;
  /** Whether the supervisor may be told to stop at any time. */
  readonly mayStop: boolean;
  /** The supervisor of production, unless a broken one is to be found. */
  readonly make?: (spec: SupervisorSpec) => MachineSpec;
}

const IDS = ['a', 'b', 'c'] as const;
/** A mishap takes at most this long: so all of them are within the same second. */
const SHUTDOWN_MS = 10;

const REQUESTS = ['terminateChild', 'restartChild', 'deleteChild'] as const;

type ChildEvent = { type: 'comeUp' | 'ignore' | 'crash' | 'finish' };

/** A child that does what the world says, at once. */
const subject = setup({ types: { events: {} as ChildEvent }, actions: { ...effects } }).createMachine({
  id: 'subject',
  initial: 'starting',
  on: {
    crash: { actions: { type: 'stop', params: { reason: { error: { name: 'Error', message: 'told to crash' } } } } },
    finish: '.finished',
  },
  states: {
    starting: { tags: 'starting', on: { comeUp: 'up', ignore: 'unneeded' } },
    up: {},
    finished: { type: 'final' },
    unneeded: { type: 'final', tags: 'ignore' },
  },
});

export class BesiegedSupervisor implements Run {
  private readonly siege: Siege;
  private readonly clock = new ManualClock();
  private readonly runtime: Runtime;
  private readonly entries = new Set<Entry>();
  private readonly scheduler: ChoosingScheduler;
  private chosen = 0;
  private mishaps = 0;
  private faults = 0;
  private requests = 0;
  private isToldToStop = false;
  /** A child that was started before one that it depends on. */
  private premature: string | undefined;
  private startFailed = false;
  /** How often each was started, and how often it finished in good order. */
  private readonly spawns = { a: 0, b: 0, c: 0 };
  private readonly finishes = { a: 0, b: 0, c: 0 };
  /** Who was not needed, or was somebody's request. */
  private readonly excused = new Set<string>();
  /** Whom somebody wanted to be stopped. */
  private readonly stoppedAlone = new Set<string>();

  constructor(siege: Siege) {
    this.siege = siege;
    this.scheduler = choosingScheduler(() => this.chosen);
    this.runtime = createRuntime({ clock: this.clock, scheduler: noting(this.scheduler, this.entries) });
    this.runtime.lifecycle((record) => {
      if (record.type === 'spawn') this.noteSpawn(record.process);
      if (record.type === 'exit') this.noteExit(record.process, record.reason);
    });
    const make = siege.make ?? supervisor;
    void this.runtime.start(make(specOf(siege)), { id: 'sup' }).catch(() => undefined);
  }

  options(): readonly Option[] {
    const candidates = this.scheduler.candidates();
    const late = this.children
      .filter(({ state }) => state === 'starting')
      .map(({ id, pid }) => this.order(`${id} comes up`, pid, { type: 'comeUp' }));
    return [
      ...candidates.map((candidate) => this.delivery(candidate)),
      ...late,
      ...this.mishapOptions(),
      ...this.requestOptions(),
      ...this.stopOption(),
    ];
  }

  key(): string {
    const processes = [...this.entries].filter(({ alive }) => alive).map(stateOf);
    const underWay = this.scheduler.underWay().map(({ channel, signal }) => [channel, contentOf(signal)]).sort(byChannel);
    const past = [this.mishaps, this.requests, this.faults, this.isToldToStop, this.startFailed, this.pastOfChildren()];
    return withoutNumbers(JSON.stringify([processes, underWay, past]));
  }

  fault(): string | undefined {
    return this.premature ?? this.twice() ?? this.outOfOrder() ?? (this.isSettled() ? this.unsettled() : undefined);
  }

  private get root(): ProcessTree | undefined {
    return this.runtime.tree().find(({ id }) => id === 'sup');
  }

  private get children(): readonly ProcessTree[] {
    return this.root?.children ?? [];
  }

  private delivery(candidate: Candidate): Option {
    return { label: `${candidate.from} → ${candidate.to}: ${candidate.what}`, take: () => this.deliver(candidate.channel) };
  }

  private deliver(channel: string): void {
    this.chosen = this.scheduler.candidates().findIndex((candidate) => candidate.channel === channel);
    this.scheduler.step();
  }

  /** What the world does to a child is over at once. */
  private order(label: string, child: Pid, message: Message): Option {
    return {
      label,
      take: () => {
        this.runtime.send(child, message);
        const order = this.scheduler.candidates().find(({ from, to }) => from === 'outside' && to === child);
        if (order !== undefined) this.deliver(order.channel);
      },
    };
  }

  private mishapOptions(): readonly Option[] {
    if (this.mishaps >= this.siege.mishapsMax) return [];
    const born = this.children.filter(({ state }) => state === 'starting' || state === 'up');
    const crashes = born.map(({ id, pid, state }) =>
      this.order(state === 'up' ? `${id} crashes` : `${id} fails to start`, pid, { type: 'crash' }),
    );
    const finishes = this.siege.mayFinish ? born.map(({ id, pid }) => this.order(`${id} finishes`, pid, { type: 'finish' })) : [];
    const ignores = this.siege.mayFinish
      ? born.filter(({ state }) => state === 'starting').map(({ id, pid }) => this.ignoring(id, pid))
      : [];
    const overdue =
      this.clock.pendingTimers === 0 ? [] : [{ label: 'the time to stop is over', take: () => this.clock.advance(SHUTDOWN_MS) }];
    return [...crashes, ...finishes, ...ignores, ...overdue].map(({ label, take }) => ({
      label,
      take: () => void ((this.mishaps += 1), take()),
    }));
  }

  private ignoring(id: string, pid: Pid): Option {
    const { label, take } = this.order(`${id} is not needed`, pid, { type: 'ignore' });
    return { label, take: () => void (this.excused.add(id), take()) };
  }

  private requestOptions(): readonly Option[] {
    const { root } = this;
    if (root === undefined || this.requests >= this.siege.requestsMax) return [];
    return REQUESTS.flatMap((type) =>
      IDS.map((id) => ({ label: `somebody asks: ${type} ${id}`, take: () => this.ask(root.pid, type, id) })),
    );
  }

  private ask(supervisor: Pid, type: (typeof REQUESTS)[number], id: string): void {
    this.requests += 1;
    if (type === 'terminateChild') this.stoppedAlone.add(id);
    // Those that wait for their turn in the restart of a group wait for ever when the one whose restart failed is stopped.
    for (const other of this.siege.strategy === 'one_for_one' ? [id] : IDS) this.excused.add(other);
    this.runtime.send(supervisor, { type, id });
  }

  private stopOption(): readonly Option[] {
    const { root } = this;
    if (!this.siege.mayStop || this.isToldToStop || root === undefined) return [];
    const take = () => {
      this.isToldToStop = true;
      this.runtime.exit(root.pid, 'shutdown');
    };
    return [{ label: 'the supervisor is told to stop', take }];
  }

  private noteSpawn(process: Pid): void {
    const id = IDS.find((name) => process.startsWith(`sup/${name}#`));
    if (id === undefined) return;
    this.spawns[id] += 1;
    const needed = IDS.slice(0, IDS.indexOf(id)).find((earlier) => this.siege.strategy !== 'one_for_one' && this.isKnownToBeAway(earlier));
    if (needed !== undefined) this.premature ??= `${id} is started before ${needed}`;
  }

  /** To the supervisor: one whose end is still under way is not. */
  private isKnownToBeAway(id: (typeof IDS)[number]): boolean {
    if (this.siege.restarts[IDS.indexOf(id)] !== 'permanent' || this.excused.has(id)) return false;
    const table = this.root === undefined ? undefined : this.runtime.tableOf(this.root.pid, 'children');
    return table instanceof ChildTable && table.rows.ofId(id)?.pid === undefined;
  }

  private noteExit(process: Pid, reason: unknown): void {
    const id = IDS.find((name) => process.startsWith(`sup/${name}#`));
    if (id === undefined) {
      this.startFailed = typeof reason === 'object' && reason !== null && 'shutdown' in reason;
      return;
    }
    if (reason === 'normal') this.finishes[id] += 1;
    if (typeof reason === 'object') this.faults += 1;
  }

  /** Only what a claim needs: else states would differ that are the same. */
  private pastOfChildren(): unknown {
    return IDS.map((id, index) => {
      const restart = this.siege.restarts[index];
      return [
        this.excused.has(id),
        this.stoppedAlone.has(id),
        restart === 'temporary' ? this.spawns[id] : restart === 'transient' && this.finishes[id] > 0,
      ];
    });
  }

  private twice(): string | undefined {
    const { children } = this;
    const double = children.find(({ id }, index) => children.findIndex((other) => other.id === id) !== index);
    if (double !== undefined) return `two of ${double.id} at once`;
    const again = IDS.find((id, index) => this.siege.restarts[index] === 'temporary' && this.spawns[id] > 1);
    return again === undefined ? undefined : `${again} is temporary and was started again`;
  }

  /** Nobody is told to stop before those who started after it have ended. */
  private outOfOrder(): string | undefined {
    const { children } = this;
    const order = this.scheduler.candidates().find(({ from, what }) => what === 'exit' && from.startsWith('sup#'));
    const index = children.findIndex(({ pid }) => pid === order?.to);
    const later = children[index + 1];
    return index < 0 || later === undefined || this.stoppedAlone.has(children[index]?.id ?? '')
      ? undefined
      : `${order?.to} is told to stop while ${later.pid} lives`;
  }

  /** Nothing is under way, nobody is about to come up, no time-out is left. */
  private isSettled(): boolean {
    return this.scheduler.candidates().length === 0 && this.clock.pendingTimers === 0 && this.children.every(({ state }) => state === 'up');
  }

  private unsettled(): string | undefined {
    const { root } = this;
    if (root === undefined) return this.endFault();
    if (this.isToldToStop) return 'the supervisor was told to stop and did not';
    if (root.state !== 'running') return `the supervisor waits in ${JSON.stringify(root.state)}, and nobody is left who could go on`;
    const missing = IDS.find((id, index) => this.isMissing(id, this.siege.restarts[index]));
    return missing === undefined ? undefined : `${missing} should run, and does not`;
  }

  private endFault(): string | undefined {
    const left = [...this.entries].filter(({ alive, id }) => alive && id !== 'outside').map(({ pid }) => pid);
    if (left.length > 0) return `${left.join()} outlived the supervisor`;
    const mayEnd = this.isToldToStop || this.startFailed || this.faults + this.finishCount() > this.siege.maxRestarts;
    return mayEnd ? undefined : 'the supervisor gave up although its intensity was not exceeded';
  }

  private isMissing(id: (typeof IDS)[number], restart: Restart | undefined): boolean {
    if (this.excused.has(id) || this.children.some((child) => child.id === id)) return false;
    return restart === 'permanent' || (restart === 'transient' && this.finishes[id] === 0);
  }

  private finishCount(): number {
    return IDS.reduce((sum, id) => sum + this.finishes[id], 0);
  }
}

function specOf({ strategy, restarts, maxRestarts }: Siege): SupervisorSpec {
  const children = IDS.map((id, index): ChildSpec => ({
    id,
    start: () => ({ machine: subject }),
    shutdown: SHUTDOWN_MS,
    restart: restarts[index] ?? 'permanent',
  }));
  return { strategy, maxRestarts, maxSeconds: 5, children };
}

/** The same scheduler; `entries` learns who there is. */
function noting(scheduler: ChoosingScheduler, entries: Set<Entry>): Scheduler {
  return {
    attach: (host) => scheduler.attach(host),
    createMailbox: () => scheduler.createMailbox(),
    giveWay: () => scheduler.giveWay(),
    step: () => scheduler.step(),
    ready: (entry) => {
      entries.add(entry);
      scheduler.ready(entry);
    },
  };
}

function stateOf(entry: Entry): unknown {
  const { pid, behaviour, actor, tables, postponed, timers } = entry;
  const snapshot: { readonly context?: unknown } | undefined = actor?.getSnapshot();
  return [pid, behaviour.state(entry), snapshot?.context, tables?.children?.key(), postponed.map(contentOf), [...(timers?.keys() ?? [])]];
}

function contentOf(signal: Signal): unknown {
  switch (signal.kind) {
    case 'message':
      return signal.message;
    case 'exit':
      return ['exit', signal.reason];
    default:
      return signal.kind;
  }
}

function byChannel([one]: readonly unknown[], [other]: readonly unknown[]): number {
  return String(one).localeCompare(String(other), 'en', { numeric: true });
}

/** Which number an incarnation has does not matter, only which it is among those who are spoken of. */
function withoutNumbers(key: string): string {
  const names = new Map<string, string>();
  return key.replaceAll(/#\d+/g, (number) => {
    const name = names.get(number) ?? `#${String.fromCharCode(97 + names.size)}`;
    names.set(number, name);
    return name;
  });
}
