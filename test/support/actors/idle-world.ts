/** What the database's use is measured by, moved by hand; and the others with whom an idle watch closes the connections and opens them. */
import { DatabaseUse, type DatabaseUsePorts } from '../../../src/actors/connections/database-use.ts';
import { idleWatch } from '../../../src/actors/connections/idle-watch.ts';
import { Copies, type Fork } from '../../../src/base/fork.ts';
import type { LogPosition } from '../../../src/model/log-position.ts';
import type { Lsn } from '../../../src/model/lsn.ts';
import type { Message, Name, PortSpec } from '../../../src/otp/process.ts';
import { createRuntime, type Runtime } from '../../../src/otp/runtime.ts';
import { replayScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import { ManualClock } from '../manual-clock.ts';
import type { World } from '../otp/table-contract.ts';

export const IDLE_MS = 1_000;
const LOOK_EVERY_MS = 100;
/** Of the microtasks between a request to a port and the event that its answer becomes. */
const TURNS = 20;

export interface UseState {
  atMs: number;
  lsn: number;
  isInUse: boolean;
  isSettled: boolean;
  taken: number;
}

export class UsedDatabase implements World<UsedDatabase>, DatabaseUsePorts {
  private readonly copies = new Copies<UsedDatabase>();
  readonly state: UseState;

  constructor(state: Partial<UseState> = {}) {
    this.state = { atMs: 0, lsn: 1, isInUse: false, isSettled: true, taken: 0, ...state };
  }

  nowMs(): number {
    return this.state.atMs;
  }

  epochMicros(): number {
    return this.state.atMs * 1000;
  }

  lastCommitLsn(): Lsn {
    return String(this.state.lsn) as Lsn;
  }

  isInUse(): boolean {
    return this.state.isInUse;
  }

  isSettled(): boolean {
    return this.state.isSettled;
  }

  hasTaken(through: LogPosition): boolean {
    return this.state.taken >= through;
  }

  clone(fork: Fork): UsedDatabase {
    return this.copies.of(fork, () => new UsedDatabase(this.state));
  }

  key(): string {
    return JSON.stringify(this.state);
  }
}

/** An idle watch among ports that do as they are told: each request of it is kept, and answered when the test says so, or at once. */
export class IdleWorld {
  readonly clock = new ManualClock();
  readonly database = new UsedDatabase();
  readonly use = new DatabaseUse(this.database, IDLE_MS);
  readonly runtime: Runtime = createRuntime({ clock: this.clock, scheduler: replayScheduler() });
  /** By their types, in their order: what the idle watch asked of others, and told them. */
  readonly asked: string[] = [];
  private readonly answers: Readonly<Record<string, Message>> = {
    restartChild: { type: 'child.started', id: 'connections' },
    terminateChild: { type: 'child.terminated', id: 'connections' },
    awaitActive: { type: 'service.active' },
    seeWal: { type: 'wal.seen', lsn: '7' },
    seeStandbys: { type: 'standbys.seen', count: 0 },
    awaitPassed: { type: 'log.hasPassed', through: 10 },
  };
  private readonly held = new Map<string, ((answer: Message) => void)[]>();
  private readonly told = new Map<string, Message>();

  async start(): Promise<this> {
    const { runtime } = this;
    const note = ({ what }: Message): void => void this.asked.push(String(what));
    const journal = { name: '@journal' as const, open: () => ({ requests: {}, casts: { note } }) };
    const ports = [
      journal,
      this.port('@stack', ['restartChild', 'terminateChild']),
      this.port('@status-monitor', ['awaitActive'], ['connections.opening', 'connections.closing']),
      this.port('@sleep', ['seeWal', 'seeStandbys']),
      this.port('@log-writer', ['awaitPassed']),
    ];
    for (const port of ports) void runtime.start(port, { id: port.name });
    await this.settle();
    this.database.state.taken = 10;
    const use = this.use;
    void runtime.start(
      { machine: idleWatch, input: { lookEveryMs: LOOK_EVERY_MS }, tables: () => ({ use }), name: '@idle-watch' },
      { id: 'idle-watch' },
    );
    await this.settle();
    this.asked.length = 0;
    return this;
  }

  /** Such requests wait for `answer` from now on. */
  hold(type: string): void {
    if (!this.held.has(type)) this.held.set(type, []);
  }

  /** Those that wait; later ones are answered at once again. */
  answer(type: string, answer = this.answers[type]): void {
    const waiting = this.held.get(type) ?? [];
    this.held.delete(type);
    if (answer !== undefined) for (const resolve of waiting) resolve(answer);
  }

  answerAll(): void {
    for (const type of [...this.held.keys()]) this.answer(type);
  }

  /** From now on they are answered so. */
  tell(type: string, answer: Message): void {
    this.told.set(type, answer);
  }

  /** Time passes, a look of the idle watch after the other. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += LOOK_EVERY_MS) {
      this.database.state.atMs += LOOK_EVERY_MS;
      this.clock.advance(LOOK_EVERY_MS);
      await this.settle();
    }
  }

  /** Everybody has done what there is to do: a port answers some turns after it was asked. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < TURNS; quiet += 1) {
      if (this.runtime.drain() > 0) quiet = 0;
      await Promise.resolve();
    }
  }

  state(): string {
    const value: unknown = this.runtime.refOf('@idle-watch')?.getSnapshot()?.value;
    return typeof value === 'object' && value !== null ? (Object.keys(value)[0] ?? '') : String(value);
  }

  private port(name: Name, requests: readonly string[], casts: readonly string[] = []): PortSpec & { readonly name: Name } {
    const request = (type: string) => (): Promise<Message> => {
      this.asked.push(type);
      const waiting = this.held.get(type);
      if (waiting !== undefined) return new Promise((resolve) => waiting.push(resolve));
      return Promise.resolve(this.told.get(type) ?? this.answers[type] ?? { type: 'nothing' });
    };
    return {
      name,
      open: () => ({
        requests: Object.fromEntries(requests.map((type) => [type, request(type)])),
        casts: Object.fromEntries(casts.map((type) => [type, () => void this.asked.push(type)])),
      }),
    };
  }
}
