/**
 * Footprint: what a step looked at and what it changed, as bits, read off the way that it went in the memo. So it can be said of
 * two steps that they commute.
 *
 * Two that can both be taken in a state commute when neither changes what the other has looked at or changes: each gets the same
 * answers when the other was first, and does the same. Three things are less than they seem to be:
 *
 * - What is appended to a mailbox disturbs nobody who takes something out of it, or who appends for another sender.
 * - Who sends asks whether the other lives, which most steps of the other leave as it is.
 * - Who calls asks which ids are free, which only a step changes that has a signal or a state in hand that names one of them.
 *
 * Who ends a process empties its mailbox; then it changes whether the process lives and what it waits for, and one of these was
 * asked by whoever sends there.
 */
import { NONE, only, roleOf, union, type Named } from './call-ids.ts';
import type { Evaluator } from './evaluator.ts';
import { WORLD, type Layout } from './layout.ts';
import type { Happened } from './move-memo.ts';
import { aboutOf, APPEND, AT_ONCE, FORGET, HEAD, IDENTITY, kindOf, NAMED, OPEN, PART, SET, TOWARD } from './question.ts';
import type { World } from './system.ts';

export interface Footprint {
  readonly looked: bigint;
  readonly changed: bigint;
  /** Places whose mailbox was looked at as a whole, and places to which something was sent: two who send there disturb each other not. */
  readonly watched: bigint;
  readonly sent: bigint;
}

export function commute(one: Footprint, other: Footprint): boolean {
  if ((one.sent & other.watched) !== 0n || (other.sent & one.watched) !== 0n) return false;
  return (one.changed & (other.looked | other.changed)) === 0n && (other.changed & one.looked) === 0n;
}

/** Reads one off. */
export class FootprintReader<Kind extends World<Kind>> {
  private looked = 0n;
  private changed = 0n;
  private watched = 0n;
  private sent = 0n;
  /** What vector parts were, as far as it was asked. */
  private readonly before = new Map<number, number>();
  private touched: Named = NONE;

  constructor(
    private readonly parts: Evaluator<Kind>,
    private readonly layout: Layout,
  ) {}

  read(way: readonly Happened[]): Footprint {
    for (const happened of way) {
      if (happened.type === 'asked') this.ask(happened.question, happened.answer);
      else this.change(happened.write, happened.at, happened.value);
    }
    this.touched.forEach((ids, role) => {
      if (ids !== 0) this.changed |= this.namedBit(role);
    });
    const { looked, changed, watched, sent } = this;
    return { looked, changed, watched, sent };
  }

  private ask(question: number, answer: number): void {
    const about = aboutOf(question);
    switch (kindOf(question)) {
      case PART:
        this.before.set(about, answer);
        this.looked |= bit(about);
        return;
      case IDENTITY:
        this.looked |= this.identityBit(about);
        return;
      case HEAD:
        this.touch(this.parts.signals.at(answer).named);
        return;
      case NAMED:
        this.looked |= this.namedBit(about);
        return;
      case OPEN:
        this.looked |= bit(this.layout.ledgerAt(roleOf(about)));
        return;
      case TOWARD:
        this.looked |= bit(this.layout.ledgerAt(about));
        return;
      case AT_ONCE:
        this.looked |= bit(WORLD) | bit(this.layout.localAt(about)) | bit(this.layout.mailboxAt(about));
        this.watched |= bit(about);
    }
  }

  private change(write: number, at: number, value: number): void {
    const { mailboxes, signals } = this.parts;
    if (write === SET) this.exchange(at, value);
    else if (write === APPEND) {
      this.changed |= this.channelBit(at, mailboxes.addressOf(value));
      this.sent |= bit(at);
      this.touch(signals.at(mailboxes.signalOf(value)).named);
    } else if (write === FORGET) this.touch(only(value));
  }

  private exchange(index: number, value: number): void {
    const { locals, ledgers } = this.parts;
    const { layout, before } = this;
    this.changed |= bit(index);
    const old = before.get(index);
    const kind = layout.kindAt(index);
    if (kind === undefined) return;
    // What was never asked about is a process that ends or has ended: what its mailbox and its ledger named is named no more.
    if (kind.part === 'local') {
      const [was, is] = [old === undefined ? undefined : locals.at(old), locals.at(value)];
      if (was?.identity !== is.identity) this.changed |= this.identityBit(kind.place);
      this.touch(union(was?.named ?? NONE, is.named));
    } else if (kind.part === 'ledger') {
      this.touch(union(old === undefined ? this.allOf(kind.place) : ledgers.at(old).named, ledgers.at(value).named));
    } else for (let role = 0; role < layout.roles; role += 1) this.touch(this.allOf(role));
    before.set(index, value);
  }

  private touch(named: Named): void {
    this.touched = union(this.touched, named);
  }

  private allOf(role: number): Named {
    return [...Array<number>(role).fill(0), -1];
  }

  private identityBit(role: number): bigint {
    return bit(this.layout.width + role);
  }

  private namedBit(role: number): bigint {
    return bit(this.layout.width + this.layout.roles + role);
  }

  private channelBit(place: number, address: number): bigint {
    return bit(this.layout.width + 2 * this.layout.roles + address * this.layout.places + place);
  }
}

function bit(index: number): bigint {
  return 1n << BigInt(index);
}
