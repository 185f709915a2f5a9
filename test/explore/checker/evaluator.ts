/**
 * Evaluator: the parts of which states are made, as numbers; and what one signal makes of one process, computed once.
 *
 * Most steps of a search are old acquaintances, a process in a local state that it was in before, given what it was given
 * before: of millions of steps only thousands are evaluated. A result that did not look at the world holds in every world.
 */
import { invariant } from '../../../src/base/invariant.ts';
import type { Message, Pid } from '../../../src/otp/process.ts';
import { Interner } from './interner.ts';
import { canonical, ledgerKey, namedIn, type Ledger } from './ledger.ts';
import type { Local, Reach } from './local.ts';
import { begin, end, localKey, receive, type Evaluated } from './local-process.ts';
import type { Output } from './performance.ts';
import { mailboxKey, type Mailbox, type Signal } from './signal.ts';
import type { Answer, Port, Role, World } from './system.ts';

/** Of the interned parts: three numbers make one key. */
const LOCALS_MAX = 1 << 18;
const WORLDS_MAX = 1 << 18;
const SIGNALS_MAX = 1 << 17;
const PARTS_MAX = 1 << 28;
/** Instead of a world's number: the result holds in every world. */
const ANY_WORLD = WORLDS_MAX - 1;

export interface Step {
  readonly local: number;
  /** Undefined when the world is as it was. */
  readonly world: number | undefined;
  readonly outputs: readonly Output[];
  /** The call ids that the outputs name, as bits. */
  readonly named: number;
}

/** From outside, counted. */
export interface Fate {
  readonly kills: number;
  readonly timeouts: number;
  readonly happened: readonly string[];
  /** How often each role was started: the next incarnation is never one that somebody knew. */
  readonly starts: readonly number[];
}

interface Part<Kind> {
  readonly it: Kind;
  /** The call ids that it names, as bits. */
  readonly named: number;
}

export class Evaluator<Kind extends World<Kind>> {
  readonly locals = new Interner<Part<Local>>(LOCALS_MAX);
  readonly worlds = new Interner<Kind>(ANY_WORLD);
  readonly signals = new Interner<Part<Signal>>(SIGNALS_MAX);
  readonly mailboxes = new Interner<Part<Mailbox>>(PARTS_MAX);
  readonly ledgers = new Interner<Part<Ledger>>(PARTS_MAX);
  readonly fates = new Interner<Fate>(PARTS_MAX);
  evaluations = 0;
  /** Messages are the same objects again and again, as local states and steps hold them. */
  private readonly messageSignals = new WeakMap<Message, number>();
  private readonly behindUrgent = new Map<number, number>();
  private readonly steps = new Map<number, Step>();
  private readonly changes = new Map<string, { readonly world: number; readonly answer: Answer }>();

  localId(local: Local): number {
    const key = localKey(local);
    return this.locals.idOf(key, () => ({ it: local, named: namedIn(key) }));
  }

  signalId(signal: Signal): number {
    const key = JSON.stringify(signal);
    return this.signals.idOf(key, () => ({ it: signal, named: namedIn(key) | namedBy(signal) }));
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
    const known = this.behindUrgent.get(local);
    if (known !== undefined) return known;
    const { it } = this.locals.at(local);
    invariant(it.status === 'alive', 'a process that lives has something urgent');
    const id = this.localId({ ...it, urgent: it.urgent.slice(1) });
    this.behindUrgent.set(local, id);
    return id;
  }

  mailboxId(mailbox: Mailbox): number {
    return this.mailboxes.idOf(mailboxKey(mailbox), () => ({ it: mailbox, named: this.namedInMailbox(mailbox) }));
  }

  ledgerId(ledger: Ledger): number {
    const ordered = canonical(ledger);
    return this.ledgers.idOf(ledgerKey(ordered), () => ({ it: ordered, named: bitsOf(ordered.calls.map(({ id }) => id)) }));
  }

  fateId(fate: Fate): number {
    return this.fates.idOf(JSON.stringify(fate), () => fate);
  }

  worldId(world: Kind): number {
    return this.worlds.idOf(world.key(), () => world);
  }

  /** @param role whose process is in the local state. */
  step(role: Role<Kind>, local: number, world: number, signal: number): Step {
    const known = this.steps.get(keyOf(local, ANY_WORLD, signal)) ?? this.steps.get(keyOf(local, world, signal));
    if (known !== undefined) return known;
    const [step, hasLooked] = this.evaluate(role, local, world, signal);
    this.steps.set(keyOf(local, hasLooked ? world : ANY_WORLD, signal), step);
    return step;
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

  private evaluate(role: Role<Kind>, local: number, world: number, signal: number): readonly [Step, boolean] {
    this.evaluations += 1;
    let copy: Kind | undefined;
    const reach = (): Kind => (copy ??= this.worlds.at(world).clone());
    const { local: after, outputs } = evaluated(role, this.locals.at(local).it, this.signals.at(signal).it, reach);
    const named = namedIn(JSON.stringify(outputs));
    return [{ local: this.localId(after), world: copy && this.worldId(copy), outputs, named }, copy !== undefined];
  }

  private namedInMailbox(mailbox: Mailbox): number {
    let named = 0;
    for (const { signals } of mailbox) for (const signal of signals) named |= this.signals.at(signal).named;
    return named;
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

function keyOf(local: number, world: number, signal: number): number {
  return (local * WORLDS_MAX + world) * SIGNALS_MAX + signal;
}

function namedBy(signal: Signal): number {
  if (signal.kind === 'init') return signal.waiter === undefined ? 0 : 1 << signal.waiter.call;
  return 'call' in signal ? 1 << signal.call : 0;
}

function bitsOf(ids: readonly number[]): number {
  return ids.reduce((bits, id) => bits | (1 << id), 0);
}
