/**
 * Performance: the effects that one transition asked for, performed in their order. Those that concern the process alone
 * are done here; those that concern others are handed out.
 */
import { invariant } from '../../../src/base/invariant.ts';
import type { EffectParams } from '../../../src/otp/effects.ts';
import type { Address, ExitReason, Message, RecipientsTable, Table } from '../../../src/otp/process.ts';
import type { Alive, Reach } from './local.ts';
import { WorldFork } from './world-fork.ts';

/** As xstate hands it out. */
export interface Action {
  readonly type: string;
  readonly params?: unknown;
  readonly exec?: unknown;
}

/** An effect on others. */
export type Output =
  | ({ readonly type: 'send' } & EffectParams['send'])
  | ({ readonly type: 'call' } & EffectParams['call'])
  | ({ readonly type: 'reply' } & EffectParams['reply'])
  | ({ readonly type: 'monitor' } & EffectParams['monitor'])
  | ({ readonly type: 'demonitor' } & EffectParams['demonitor'])
  | { readonly type: 'kill'; readonly process: Address }
  | ({ readonly type: 'multicall'; readonly to: readonly Address[] } & EffectParams['multicall']);

/** Effects that no machine of the systems here asks for are missing: then the search ends with that claim. */
type Known =
  | 'send' | 'sendToEach' | 'call' | 'reply' | 'replyToEach' | 'multicall' | 'monitor' | 'demonitor' | 'postpone' | 'continue'
  | 'apply' | 'startTimer' | 'cancelTimer' | 'stop' | 'exitEach';

type Performers = { readonly [Name in Known]: (on: Performance, params: EffectParams[Name]) => void };

const PERFORMERS: Performers = {
  send: (on, params) => on.tell({ type: 'send', ...params }),
  sendToEach: (on, { to, event }) => to.forEach((address) => on.tell({ type: 'send', to: address, event })),
  call: (on, params) => on.tell({ type: 'call', ...params }),
  reply: (on, params) => on.tell({ type: 'reply', ...params }),
  replyToEach: (on, { to, event }) => to.forEach((caller) => on.tell({ type: 'reply', to: caller, event })),
  multicall: (on, params) => on.callEach(params),
  monitor: (on, params) => on.tell({ type: 'monitor', ...params }),
  demonitor: (on, params) => on.tell({ type: 'demonitor', ...params }),
  postpone: (on) => on.postpone(),
  continue: (on, { event }) => on.insert(event),
  apply: (on, params) => on.apply(params),
  startTimer: (on, params) => on.startTimer(params),
  cancelTimer: (on, { name }) => on.cancelTimer(name),
  exitEach: (on, params) => on.killEach(params),
  stop: (on, { reason }) => void (on.stopReason = reason),
};

export class Performance {
  readonly outputs: Output[] = [];
  readonly tables: Record<string, Table>;
  readonly timers: Record<string, unknown>;
  stopReason: ExitReason | undefined;
  private readonly inserted: Message[] = [];
  private readonly postponed: Message[];
  private readonly changed = new Set<string>();
  private readonly fork: WorldFork<unknown>;

  constructor(
    private readonly local: Alive,
    /** The event that is handled; undefined in a process's first transition, whose tables are its own. */
    private readonly current: Message | undefined,
    reach: Reach<unknown>,
  ) {
    this.tables = { ...local.tables };
    this.timers = { ...local.timers };
    this.postponed = [...local.postponed];
    this.fork = new WorldFork(reach);
  }

  /** Gives back what tables hold that nobody has copied for this step. */
  static closeAll(tables: Alive['tables'], reach: Reach<unknown>): void {
    const fork = new WorldFork(reach);
    for (const table of Object.values(tables)) if (table.close !== undefined) table.clone(fork).close?.();
  }

  /** @throws what an effect throws; those before it are performed. */
  perform(actions: readonly Action[]): void {
    // A machine's own actions run within its transition: when one throws, nothing was asked for.
    for (const { type, params, exec } of actions) if (!isKnown(type)) runOwn(type, exec, params);
    for (const { type, params } of actions) if (isKnown(type)) (PERFORMERS[type] as Performer)(this, params);
  }

  /** What effects inserted, then what was postponed if that is released, then what waited before. */
  queues(isReleased: boolean): Pick<Alive, 'urgent' | 'postponed'> {
    const { inserted, postponed, local } = this;
    if (!isReleased) return { urgent: [...inserted, ...local.urgent], postponed };
    return { urgent: [...inserted, ...postponed, ...local.urgent], postponed: [] };
  }

  /** The process ends: its tables give back what they hold. */
  close(): void {
    for (const name of Object.keys(this.tables)) if (this.tables[name]?.close !== undefined) this.own(name).close?.();
  }

  tell(output: Output): void {
    this.outputs.push(output);
  }

  insert(message: Message): void {
    this.inserted.push(message);
  }

  postpone(): void {
    if (this.current !== undefined) this.postponed.push(this.current);
  }

  apply({ table, change }: EffectParams['apply']): void {
    const answer = this.own(table).apply(change);
    if (answer !== undefined) this.insert(answer);
  }

  callEach(params: EffectParams['multicall']): void {
    const recipients = this.tables[params.table] as RecipientsTable | undefined;
    invariant(recipients !== undefined, `the process has a table '${params.table}'`);
    const to = [...recipients.recipients()];
    if (to.length === 0) this.insert({ type: `${params.as}.done`, failed: [] });
    else this.tell({ type: 'multicall', to, ...params });
  }

  killEach({ processes, reason }: EffectParams['exitEach']): void {
    invariant(reason === 'kill', 'whoever ends another process in these systems kills it');
    for (const process of processes) this.tell({ type: 'kill', process });
  }

  startTimer({ name, delayMs, until, content }: EffectParams['startTimer']): void {
    invariant(until === undefined && delayMs > 0 && delayMs < Infinity, 'a timer of these systems waits until it is cancelled');
    this.timers[name] = content ?? null;
  }

  cancelTimer(name: string): void {
    Reflect.deleteProperty(this.timers, name);
  }

  /** This step's copy of a table. */
  private own(name: string): Table {
    const table = this.tables[name];
    invariant(table !== undefined, `the process has a table '${name}'`);
    if (this.current === undefined || this.changed.has(name)) return table;
    this.changed.add(name);
    return (this.tables[name] = table.clone(this.fork));
  }
}

type Performer = (on: Performance, params: unknown) => void;

function isKnown(type: string): type is Known {
  return type in PERFORMERS;
}

function runOwn(type: string, exec: unknown, params: unknown): void {
  invariant(typeof exec === 'function', `effect '${type}' is known to the checker`);
  exec({}, params);
}
