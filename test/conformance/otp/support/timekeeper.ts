/**
 * Timekeeper: a machine with two states and any timers, for what ends a timer and when it comes. It writes down each
 * event that it handled, in which state, and what a time-out carried. Idle, it keeps `later.*` for when it is busy.
 */
import { assign, setup } from 'xstate';
import { effects, type EffectParams } from '../../../../src/otp/effects.ts';
import type { ProcessInfo } from '../../../../src/otp/kernel/process-info.ts';
import type { MachineSpec, Message, Pid, Table } from '../../../../src/otp/process.ts';
import { World } from '../../../support/otp/world.ts';

export type TimerParams = EffectParams['startTimer'];

/** What the machine is to do in a transition. */
export interface Orders {
  readonly timers?: readonly TimerParams[];
  readonly then?: readonly Message[];
  readonly hibernate?: boolean;
}

type TimekeeperEvent =
  | ({ type: 'begin' | 'rest' | 'stay' | 'repeat' } & Orders)
  | { type: 'cancel'; name: string }
  | { type: 'update'; name: string; content: unknown }
  | { type: `timeout.${string}`; content?: unknown }
  | { type: `note.${string}` | `later.${string}` };

/** Lives on in the table of the process while its machine sleeps. */
class Log implements Table<string> {
  readonly lines: string[] = [];

  apply(line: string): undefined {
    this.lines.push(line);
  }

  clone(): Log {
    const copy = new Log();
    copy.lines.push(...this.lines);
    return copy;
  }

  key(): string {
    return this.lines.join();
  }
}

const base = setup({
  types: { input: {} as { first: Orders }, context: {} as { first: Orders }, events: {} as TimekeeperEvent },
  actions: { ...effects, forgetFirst: assign({ first: {} }) },
});

const obey = base.enqueueActions(({ enqueue, event, context }) => {
  const { timers = [], then = [], hibernate = false }: Orders = isOrder(event) ? event : context.first;
  for (const timer of timers) enqueue({ type: 'startTimer', params: timer });
  for (const one of then) enqueue({ type: 'continue', params: { event: one } });
  if (hibernate) enqueue('hibernate');
});
const write = (state: string) =>
  ({
    type: 'apply',
    params: ({ event }: { event: TimekeeperEvent }) => ({ table: 'log', change: `${state} ${describe(event)}` }),
  }) as const;

const timekeeper = base.extend({ actions: { obey } }).createMachine({
  id: 'timekeeper',
  context: ({ input }) => ({ first: input.first }),
  entry: ['obey', 'forgetFirst'],
  on: {
    cancel: { actions: { type: 'cancelTimer', params: ({ event }) => ({ name: event.name }) } },
    update: { actions: { type: 'updateTimer', params: ({ event }) => ({ name: event.name, content: event.content }) } },
  },
  initial: 'idle',
  states: {
    idle: {
      on: {
        begin: { target: 'busy', actions: [write('idle'), 'obey'] },
        stay: { actions: [write('idle'), 'obey'] },
        repeat: { target: 'idle', reenter: true, actions: [write('idle'), 'obey'] },
        'note.*': { actions: write('idle') },
        'timeout.*': { actions: write('idle') },
        'later.*': { actions: 'postpone' },
      },
    },
    busy: {
      on: {
        rest: { target: 'idle', actions: [write('busy'), 'obey'] },
        stay: { actions: [write('busy'), 'obey'] },
        'note.*': { actions: write('busy') },
        'timeout.*': { actions: write('busy') },
        'later.*': { actions: write('busy') },
      },
    },
  },
});

function isOrder(event: TimekeeperEvent): event is Extract<TimekeeperEvent, Orders> {
  return 'timers' in event || 'then' in event || 'hibernate' in event;
}

function describe(event: TimekeeperEvent): string {
  return 'content' in event && event.content !== undefined ? `${event.type} ${JSON.stringify(event.content)}` : event.type;
}

/** @param first what it does at its start. */
export function timekeeperSpec(first: Orders = {}, options: Partial<MachineSpec> = {}): MachineSpec {
  return { machine: timekeeper, input: { first }, tables: () => ({ log: new Log() }), ...options };
}

/** A world with one timekeeper, and its log. */
export class Watched {
  private constructor(
    readonly world: World,
    readonly pid: Pid,
  ) {}

  static async start(): Promise<Watched> {
    return await Watched.startWith({});
  }

  /** Messages wait already when it begins. */
  static async startWith(first: Orders, waiting: readonly Message[] = [], options: Partial<MachineSpec> = {}): Promise<Watched> {
    const world = new World();
    const starting = world.runtime.start(timekeeperSpec(first, options), { id: 'timekeeper' });
    for (const { pid } of world.runtime.tree()) for (const message of waiting) world.runtime.send(pid, message);
    world.runtime.drain();
    return new Watched(world, await starting);
  }

  /** The messages wait together before the first is delivered. */
  arrive(...messages: readonly Message[]): void {
    for (const message of messages) this.world.runtime.send(this.pid, message);
    this.world.runtime.drain();
  }

  advance(byMs: number): void {
    this.world.advance(byMs);
  }

  get info(): ProcessInfo | undefined {
    return this.world.runtime.processInfo(this.pid);
  }

  get log(): readonly string[] | undefined {
    const log = this.world.runtime.tableOf(this.pid, 'log');
    return log instanceof Log ? [...log.lines] : undefined;
  }

  /** Timers that come late still come: nothing may run behind the test's back. */
  get logAfterAnHour(): readonly string[] | undefined {
    this.advance(3_600_000);
    return this.log;
  }
}
