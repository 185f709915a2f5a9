/**
 * ReplayWindow: a recorded window given to the production machines again, turn by turn, and compared with what was recorded.
 *
 * Each machine starts where it stood and is given what it was given, in the order of the record. At each turn it must become what it
 * became and ask for whatever was sent, and at the end it must stand where it stood. So a file that was changed, or one that other
 * machines have made, is told from what these machines do; the first difference is told in words.
 */
import { describeReason } from '../../../../src/otp/kernel/error-report.ts';
import type { ExitReason, Message } from '../../../../src/otp/process.ts';
import { machines } from '../../../support/actors/machines.ts';
import { isSameJson, plain } from './asked-messages.ts';
import { takerOf, type RecordedRole, type RecordedTurn, type RecordedWindow } from './recorded-window.ts';
import { ReplayedRole, type Taken } from './replayed-role.ts';

export interface WindowReplay {
  /** Undefined: everything was as it is recorded. */
  readonly difference: string | undefined;
  /** Turns that a machine has taken again, before the difference. */
  readonly taken: number;
  /** Turns of those that are not replayed. */
  readonly passed: number;
  /** Which machines were started, and how often. */
  readonly machines: Readonly<Record<string, number>>;
  /** Who is not replayed, and why. */
  readonly notReplayed: readonly string[];
}

/** What the file says is not what the machines do. */
class Difference extends Error {
  override readonly name = 'Difference';
}

const NONE = 'None of its machines is there: another version has recorded this.';

export function replayWindow(window: RecordedWindow): WindowReplay {
  const replaying = new Replaying(window);
  const difference = replaying.run();
  return {
    difference,
    taken: replaying.taken,
    passed: replaying.passed,
    machines: countsOf(window.roles.flatMap(({ machine }) => (machine === null ? [] : [machine]))),
    notReplayed: [...window.roles.flatMap(({ role, whyNot }) => (whyNot === null ? [] : [`${role}: ${whyNot}`])), ...replaying.unknown],
  };
}

class Replaying {
  taken = 0;
  passed = 0;
  private readonly roles = new Map<string, ReplayedRole>();
  private readonly ended = new Set<string>();
  /** Who runs a machine that is not there. */
  readonly unknown: string[] = [];

  constructor(private readonly window: RecordedWindow) {}

  /** @returns the first difference. */
  run(): string | undefined {
    try {
      for (const role of this.window.roles) this.start(role);
      if (this.roles.size === 0 && this.unknown.length > 0) throw new Difference(NONE);
      for (const [index, turn] of this.window.turns.entries()) this.turn(turn, index);
      for (const role of this.window.roles) this.compareEnd(role);
      return undefined;
    } catch (error) {
      if (error instanceof Difference) return error.message;
      throw error;
    }
  }

  private start({ role, machine: id, begin }: RecordedRole): void {
    if (id === null || begin === null) return;
    const machine = machines.find((each) => each.machine.id === id)?.machine;
    if (machine === undefined) {
      this.unknown.push(`${role}: There is no machine '${id}' here: it is of a program of its own, or of another version.`);
      return;
    }
    try {
      this.roles.set(role, new ReplayedRole(machine, begin));
    } catch (error) {
      throw new Difference(`${role} cannot begin in ${inWords('value' in begin ? begin.value : begin)}: ${String(error)}`);
    }
  }

  private turn(turn: RecordedTurn, index: number): void {
    const name = takerOf(turn);
    const role = this.roles.get(name);
    if (role === undefined) {
      this.passed += 1;
      return;
    }
    const at = `Turn ${index} differs. ${name}`;
    if (this.ended.has(name)) throw new Difference(`${at} takes a turn after its end.`);
    if ('kill' in turn || 'end' in turn) this.end(role, name, 'kill' in turn ? 'killed' : (turn.reason as ExitReason), at);
    else this.take(role, turn, at);
    this.taken += 1;
  }

  private take(role: ReplayedRole, turn: Exclude<RecordedTurn, { kill: string } | { end: string }>, at: string): void {
    if (role.ends !== undefined) throw new Difference(`${at} ends by itself (${describeReason(role.ends)}); the record goes on.`);
    if ('begin' in turn && role.hasBegun) throw new Difference(`${at} begins a second time.`);
    if (!('begin' in turn) && !role.hasBegun) throw new Difference(`${at} takes an event before it has begun.`);
    if ('deliver' in turn) this.compareSending(turn, at);
    const taken = 'begin' in turn ? role.first() : role.take(eventOf(turn));
    const given = `${at}, ${'begin' in turn ? 'at its beginning' : `given '${eventOf(turn).type}'`}`;
    compareState(taken, turn.becomes, given);
    const sent = (turn.sends ?? []).map(({ send, event }) => ({ type: send, fields: event }));
    const unasked = taken.asked.firstUnasked(sent);
    if (unasked === undefined) return;
    throw new Difference(`${given}, does not ask to send '${unasked.type}' ${inWords(unasked.fields)}; the record has it.`);
  }

  /** What another turn of the file has sent must be there as it was sent. */
  private compareSending({ deliver, to, event, sentIn }: Extract<RecordedTurn, { deliver: string }>, at: string): void {
    if (sentIn === undefined) return;
    const sender = this.window.turns[sentIn];
    const sends = sender !== undefined && 'sends' in sender ? (sender.sends ?? []) : [];
    if (sends.some((sent) => sent.send === deliver && sent.to === to && isSameJson(sent.event, event))) return;
    throw new Difference(`${at} is given '${deliver}' ${inWords(event)}, which turn ${sentIn} has not sent to it.`);
  }

  /** One that ends otherwise than by its machine was ended from outside: by its supervisor, a link, a table that threw. */
  private end({ ends }: ReplayedRole, name: string, reason: ExitReason, at: string): void {
    this.ended.add(name);
    if (ends === undefined || isSameJson(ends, reason)) return;
    throw new Difference(`${at} ends with ${describeReason(ends)}; the record has ${inWords(reason)}.`);
  }

  private compareEnd({ role: name, end }: RecordedRole): void {
    const role = this.roles.get(name);
    if (role === undefined || this.ended.has(name) || end === null || !('value' in end)) return;
    if (isSameJson(role.standing, end)) return;
    throw new Difference(`The end differs. ${name} stands on ${inWords(role.standing)}; the record has ${inWords(end)}.`);
  }
}

function compareState({ becomes, ends }: Taken, recorded: unknown, given: string): void {
  if (isSameJson(becomes, recorded)) return;
  if (ends !== undefined && recorded === undefined) return; // One that crashes becomes nothing; its end is compared.
  const words = (value: unknown): string => (value === undefined ? 'stays as it is' : `becomes ${inWords(value)}`);
  throw new Difference(`${given}, ${words(becomes)}; in the record it ${words(recorded)}.`);
}

function eventOf(turn: Extract<RecordedTurn, { deliver: string } | { timeout: string }>): Message {
  return { type: 'deliver' in turn ? turn.deliver : `timeout.${turn.timeout}`, ...turn.event };
}

const WORDS_MAX = 1_000;

function inWords(value: unknown): string {
  const text = JSON.stringify(plain(value)) ?? 'nothing';
  return text.length <= WORDS_MAX ? text : `${text.slice(0, WORDS_MAX)}…`;
}

function countsOf(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
