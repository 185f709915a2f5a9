/**
 * Evaluator: the parts of which states are made, as numbers; and what one signal makes of one process, computed once.
 *
 * Most steps of a search are old acquaintances, a process in a local state that it was in before, given what it was given
 * before: of millions of steps only thousands are evaluated. A result that did not look at the world holds in every world.
 */
import { invariant } from '../../../src/base/invariant.ts';
import type { Message, Pid } from '../../../src/otp/process.ts';
import { NONE, namedIn, only, union, type Named } from './call-ids.ts';
import { Interner } from './interner.ts';
import { canonical, ledgerKey, toward, type Ledger, type Toward } from './ledger.ts';
import type { Local, Reach } from './local.ts';
import { begin, end, localKey, receive, type Evaluated } from './local-process.ts';
import { Mailboxes } from './mailboxes.ts';
import { PairMemo } from './pair-memo.ts';
import { PairTable } from './pair-table.ts';
import type { Part } from './part.ts';
import type { Output } from './performance.ts';
import { ADDRESSES_MAX } from './question.ts';
import type { Signal, UnderWay } from './signal.ts';
import type { Answer, AtOnce, Happening, Port, Role, World } from './system.ts';

const PARTS_MAX = 1 << 26;
/** No address. */
export const NOBODY = -1;

export interface Step {
  readonly local: number;
  /** Undefined when the world is as it was. */
  readonly world: number | undefined;
  readonly outputs: readonly Output[];
  /** The call ids that the outputs name. */
  readonly named: Named;
}

/** From outside, counted. */
export interface Fate {
  readonly kills: number;
  readonly timeouts: number;
  readonly happened: readonly string[];
  /** How often each role was started: the next incarnation is never one that somebody knew. */
  readonly starts: readonly number[];
}

interface LocalPart extends Part<Local> {
  /** The number of who it is, and whether it lives: all that others find of it. */
  readonly identity: number;
}

export interface Identity {
  readonly status: Local['status'];
  readonly pid: Pid | undefined;
}

export class Evaluator<Kind extends World<Kind>> {
  readonly locals = new Interner<LocalPart>(PARTS_MAX);
  readonly identities = new Interner<Identity>(PARTS_MAX);
  readonly worlds = new Interner<Kind>(PARTS_MAX);
  readonly signals = new Interner<Part<Signal>>(PARTS_MAX);
  readonly addresses = new Interner<string>(ADDRESSES_MAX);
  readonly mailboxes = new Mailboxes(this.signals, this.addresses);
  readonly ledgers = new Interner<Part<Ledger>>(PARTS_MAX);
  readonly towards = new Interner<Toward>(PARTS_MAX);
  readonly fates = new Interner<Fate>(PARTS_MAX);
  readonly happenings = new Interner<Happening<Kind>>(PARTS_MAX);
  evaluations = 0;
  /** Messages are the same objects again and again, as local states and steps hold them. */
  private readonly messageSignals = new WeakMap<Message, number>();
  private readonly happeningIds = new WeakMap<Happening<Kind>, number>();
  private readonly behindUrgent = new PairMemo();
  private readonly towardIds = new PairMemo();
  private readonly takers = new PairMemo();
  private readonly takersOver = new PairMemo();
  private readonly atOnce: AtOnce<Kind>[] = [];
  /** A local state with a signal, and one of these with a world. */
  private readonly given = new PairTable();
  private readonly over = new PairTable();
  private readonly steps = new Map<number, Step | 'looks'>();
  private readonly stepsOver = new Map<number, Step>();
  private readonly changes = new Map<string, { readonly world: number; readonly answer: Answer }>();

  addressId(address: string): number {
    return this.addresses.idOf(address, () => address);
  }

  localId(local: Local): number {
    const key = localKey(local);
    return this.locals.idOf(key, () => ({ it: local, named: namedIn(key), identity: this.identityOf(local) }));
  }

  signalId(signal: Signal): number {
    const key = JSON.stringify(signal);
    return this.signals.idOf(key, () => ({ it: signal, named: union(namedIn(key), namedBy(signal)) }));
  }

  messageId(message: Message): number {
    const known = this.messageSignals.get(message);
    if (known !== undefined) return known;
    const id = this.signalId({ kind: 'message', message });
    this.messageSignals.set(message, id);
    return id;
  }

  /** The local state without the first of what is urgent in it, which is being handled. */
  withoutUrgent(local: number): number {
    return this.behindUrgent.of(local, 0, () => {
      const { it } = this.locals.at(local);
      invariant(it.status === 'alive', 'a process that lives has something urgent');
      return this.localId({ ...it, urgent: it.urgent.slice(1) });
    });
  }

  ledgerId(ledger: Ledger): number {
    const ordered = canonical(ledger);
    const named = (): Named => ordered.calls.reduce((ids, { id }) => union(ids, only(id)), NONE);
    return this.ledgers.idOf(ledgerKey(ordered), () => ({ it: ordered, named: named() }));
  }

  /** @param pid the number of an address. */
  towardId(ledger: number, pid: number): number {
    return this.towardIds.of(ledger, pid, () => {
      const found = toward(this.ledgers.at(ledger).it, this.addresses.at(pid) as Pid);
      return this.towards.idOf(JSON.stringify(found), () => found);
    });
  }

  /** @returns the number of the address from which the role takes what comes next at once; -1 where there is none. */
  takesAtOnce(role: Role<Kind>, local: number, mailbox: number, world: number): number {
    const taker = this.takers.of(local, mailbox, () => this.takerOf(role, local, mailbox));
    return taker === NOBODY ? NOBODY : this.takersOver.of(taker, world, () => {
      const { from, over } = this.atOnce[taker] ?? {};
      return from === undefined || over?.(this.worlds.at(world)) === false ? NOBODY : this.addressId(from);
    });
  }

  underWayIn(mailbox: number): readonly UnderWay[] {
    return this.mailboxes.at(mailbox).it.map(({ from, signals }) => ({ from, signals: signals.map((id) => this.signals.at(id).it) }));
  }

  fateId(fate: Fate): number {
    return this.fates.idOf(JSON.stringify(fate), () => fate);
  }

  worldId(world: Kind): number {
    return this.worlds.idOf(world.key(), () => world);
  }

  /** What happens and to whom: what it does to the world is said by its name. */
  happeningId(happening: Happening<Kind>): number {
    const known = this.happeningIds.get(happening);
    if (known !== undefined) return known;
    const id = this.happenings.idOf(JSON.stringify(happening), () => happening);
    this.happeningIds.set(happening, id);
    return id;
  }

  /** @param role whose process is in the local state. */
  step(role: Role<Kind>, local: number, world: number, signal: number): Step {
    const known = this.steps.get(this.given.idOf(local, signal));
    if (known !== undefined && known !== 'looks') return known;
    const knownOver = this.stepsOver.get(this.over.find(this.given.idOf(local, signal), world));
    return knownOver ?? this.evaluate(role, local, world, signal);
  }

  /** Whether what a step that was taken makes of it may be something else in another world. */
  looksAtWorld(local: number, signal: number): boolean {
    return this.steps.get(this.given.find(local, signal)) === 'looks';
  }

  /** What a port answers, and the world then. */
  ask(port: Port<Kind>, world: number, request: Message): { readonly world: number; readonly answer: Answer } {
    return this.change(world, `${port.name} ${JSON.stringify(request)}`, (copy) => port.handle(copy, request));
  }

  /** @param name says all that `change` depends on but the world. */
  change(world: number, name: string, change: (world: Kind) => Answer): { readonly world: number; readonly answer: Answer } {
    const key = `${world} ${name}`;
    const known = this.changes.get(key);
    if (known !== undefined) return known;
    const copy = this.worlds.at(world).clone();
    const answer = change(copy);
    const made = { world: this.worldId(copy), answer };
    this.changes.set(key, made);
    return made;
  }

  private evaluate(role: Role<Kind>, local: number, world: number, signal: number): Step {
    this.evaluations += 1;
    let copy: Kind | undefined;
    const reach = (): Kind => (copy ??= this.worlds.at(world).clone());
    const { local: after, outputs } = evaluated(role, this.locals.at(local).it, this.signals.at(signal).it, reach);
    const named = namedIn(JSON.stringify(outputs));
    const step = { local: this.localId(after), world: copy && this.worldId(copy), outputs, named };
    const given = this.given.idOf(local, signal);
    this.steps.set(given, copy === undefined ? step : 'looks');
    if (copy !== undefined) this.stepsOver.set(this.over.idOf(given, world), step);
    return step;
  }

  private takerOf({ takesAtOnce }: Role<Kind>, local: number, mailbox: number): number {
    const { it } = this.locals.at(local);
    const canTake = it.status === 'unborn' || (it.status === 'alive' && it.urgent.length === 0);
    const taker = canTake ? takesAtOnce?.(it, this.underWayIn(mailbox)) : undefined;
    return taker === undefined ? NOBODY : this.atOnce.push(taker) - 1;
  }

  private identityOf(local: Local): number {
    const pid = local.status === 'absent' ? undefined : local.pid;
    return this.identities.idOf(`${local.status} ${pid}`, () => ({ status: local.status, pid }));
  }
}

function evaluated<Kind>(role: Role<Kind>, local: Local, signal: Signal, reach: Reach<Kind>): Evaluated {
  if (signal.kind === 'init') return begin(role, pidOf(local), signal.args, reach);
  invariant(local.status === 'alive', 'only a process that lives handles a signal');
  if (signal.kind === 'kill') return end(local, 'killed', reach);
  invariant(signal.kind === 'message', 'a machine is given events');
  return receive(local, signal.message, reach);
}

export function pidOf(local: Local): Pid {
  invariant(local.status !== 'absent', 'there is such a process');
  return local.pid;
}

function namedBy(signal: Signal): Named {
  if (signal.kind === 'init') return signal.waiter === undefined ? NONE : only(signal.waiter.call);
  return 'call' in signal ? only(signal.call) : NONE;
}
