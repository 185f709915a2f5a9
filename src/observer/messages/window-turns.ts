/**
 * WindowTurns: what was recorded of a window as turns, each with what it made of who took it.
 *
 * All processes share one thread: so what a machine sends and becomes stands between its turn and its next one, and belongs to that
 * turn. A turn of the window is told whole, also where what it made stands a moment behind the window's end.
 */
import type { Standing } from '../../otp/kernel/standing.ts';
import type { ExitReason, Message, Pid } from '../../otp/process.ts';
import type { Recorded } from '../recording/recorder.ts';

export type Turn =
  | { readonly type: 'deliver'; readonly pid: Pid; readonly from: string; readonly message: Message; readonly made: Made }
  | { readonly type: 'begin'; readonly pid: Pid; readonly made: Made }
  | { readonly type: 'end'; readonly pid: Pid; readonly reason: ExitReason };

export interface Made {
  becomes: { readonly value: unknown } | undefined;
  readonly sends: { readonly to: string; readonly message: Message }[];
}

/** A process that took a turn. */
export interface Taker {
  readonly begin: Standing | undefined;
  /** Where it stood before its first event behind the window; undefined when it got none. */
  behind: Standing | undefined;
  /** It ended; perhaps behind the window. */
  hasEnded: boolean;
}

export interface WindowTurns {
  readonly turns: readonly Turn[];
  readonly takers: ReadonlyMap<Pid, Taker>;
  /** Older ones that were left out. */
  readonly left: number;
}

/** On the clock's scale; of these processes alone, none means all. */
export interface TurnsAsked {
  readonly fromMs: number;
  readonly toMs: number;
  readonly pids: readonly string[];
  readonly turnsMax: number;
}

/** @param records oldest first. */
export function windowTurns(records: Iterable<Recorded>, asked: TurnsAsked): WindowTurns {
  const kept = [...records];
  const turns = kept.filter((record) => isTurnOf(record, asked));
  const left = Math.max(0, turns.length - asked.turnsMax);
  const reading = new TurnsReading({ ...asked, sinceN: turns[left]?.n ?? Infinity });
  for (const record of kept) reading.read(record);
  return { turns: reading.turns, takers: reading.takers, left };
}

class TurnsReading {
  readonly turns: Turn[] = [];
  readonly takers = new Map<Pid, Taker>();
  /** What the last turn of each has made, while that may still be added to. */
  private readonly open = new Map<string, Made>();
  /** Spawned in the window: with the input. */
  private readonly unborn = new Map<Pid, Standing | undefined>();

  constructor(private readonly asked: TurnsAsked & { readonly sinceN: number }) {}

  read(record: Recorded): void {
    switch (record.type) {
      case 'spawn':
        if (this.isMeant(record, record.process)) this.unborn.set(record.process, record.before);
        return;
      case 'deliver':
        this.deliver(record);
        return;
      case 'transition':
        this.become(record);
        return;
      case 'send':
        this.open.get(record.from)?.sends.push({ to: record.to, message: record.message });
        return;
      case 'exit':
        this.end(record);
        return;
      default:
        return;
    }
  }

  private deliver(record: Extract<Recorded, { type: 'deliver' }>): void {
    const { to, from, message, before } = record;
    this.open.delete(to);
    if (!this.isMeant(record, to)) {
      const taker = this.takers.get(to);
      if (taker !== undefined) taker.behind ??= before;
      return;
    }
    this.take(to, before);
    const made = before === undefined ? { becomes: undefined, sends: [] } : this.opened(to); // A port sends when it likes.
    this.turns.push({ type: 'deliver', pid: to, from, message, made });
  }

  /** A first state is a turn of its own. */
  private become(record: Extract<Recorded, { type: 'transition' }>): void {
    const { process, state, from } = record;
    if (from === undefined && this.unborn.has(process)) {
      this.take(process, this.unborn.get(process));
      this.unborn.delete(process);
      this.turns.push({ type: 'begin', pid: process, made: this.opened(process) });
    }
    const made = this.open.get(process);
    if (made !== undefined) made.becomes = { value: state };
  }

  private end(record: Extract<Recorded, { type: 'exit' }>): void {
    const { process, reason } = record;
    this.open.delete(process);
    const taker = this.takers.get(process);
    if (taker === undefined) return;
    taker.hasEnded = true;
    if (taker.behind === undefined && record.atMs <= this.asked.toMs) this.turns.push({ type: 'end', pid: process, reason });
  }

  private take(pid: Pid, begin: Standing | undefined): void {
    if (!this.takers.has(pid)) this.takers.set(pid, { begin, behind: undefined, hasEnded: false });
  }

  private opened(pid: Pid): Made {
    const made: Made = { becomes: undefined, sends: [] };
    this.open.set(pid, made);
    return made;
  }

  private isMeant(record: Recorded, pid: Pid): boolean {
    return record.n >= this.asked.sinceN && isMeantBy(this.asked, record, pid);
  }
}

function isTurnOf(record: Recorded, asked: TurnsAsked): boolean {
  if (record.type === 'deliver') return isMeantBy(asked, record, record.to);
  return record.type === 'spawn' && isMeantBy(asked, record, record.process);
}

function isMeantBy(asked: TurnsAsked, record: Recorded, pid: Pid): boolean {
  return isIn(record, asked) && (asked.pids.length === 0 || asked.pids.includes(pid));
}

function isIn({ atMs }: Recorded, { fromMs, toMs }: TurnsAsked): boolean {
  return atMs >= fromMs && atMs <= toMs;
}
