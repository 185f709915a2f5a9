/**
 * GlobalState: one state of a system, as the numbers of its parts, and how its parts are found and exchanged.
 *
 * Whatever a step learns of it is the answer to a question, and whatever a step does to it is a write; so a step can be recorded.
 */
import { invariant } from '../../../src/base/invariant.ts';
import type { Address, Message, Pid } from '../../../src/otp/process.ts';
import { roleOf } from './call-ids.ts';
import { Cast } from './cast.ts';
import { NOBODY, type Evaluator, type Fate, type Identity } from './evaluator.ts';
import { EMPTY, type Ledger } from './ledger.ts';
import type { Local } from './local.ts';
import { FATE, WORLD, type Layout } from './layout.ts';
import type { Asked, Recording } from './move-memo.ts';
import {
  aboutOf, addressOf, APPEND, AT_ONCE, FORGET, HEAD, IDENTITY, kindOf, NAMED, OPEN, PART, question, SET, TAKE, TOUCH, TOWARD,
} from './question.ts';
import type { Channel, Mailbox, UnderWay } from './signal.ts';
import type { Role, System, ViewOfMail, World } from './system.ts';

export class GlobalState<Kind extends World<Kind>> implements ViewOfMail<Kind>, Asked {
  protected readonly cast: Cast;
  private readonly layout: Layout;
  private readonly vector: Int32Array;
  /** Roles, as bits, of which it was not asked since they took or were sent something whether they do what comes next at once. */
  private touched = 0;

  constructor(
    protected readonly system: System<Kind>,
    protected readonly parts: Evaluator<Kind>,
    /** Undefined for the system before anything has happened. */
    vector: Int32Array | undefined,
    private readonly recording?: Recording,
  ) {
    this.cast = Cast.of(system);
    this.layout = this.cast.layout;
    this.vector = vector?.slice() ?? firstVector(system, parts, this.layout);
  }

  get state(): Int32Array {
    return this.vector;
  }

  /** @param touched of another one, which it goes on from. */
  become(vector: Int32Array, touched = 0): void {
    this.vector.set(vector);
    this.touched = touched;
  }

  get touchedRoles(): number {
    return this.touched;
  }

  /** @returns the first role that was touched, and is not any more; -1 where none is. */
  takeTouched(): number {
    const { touched } = this;
    this.touched = touched & (touched - 1);
    return 31 - Math.clz32(touched & -touched);
  }

  answer(asked: number): number {
    const about = aboutOf(asked);
    switch (kindOf(asked)) {
      case PART:
        return this.part(about);
      case IDENTITY:
        return this.parts.locals.at(this.part(this.layout.localAt(about))).identity;
      case HEAD:
        return this.parts.mailboxes.headOf(this.part(this.layout.mailboxAt(about)), addressOf(asked));
      case NAMED:
        return this.namedOf(about);
      case OPEN:
        return Number(this.parts.ledgers.at(this.part(this.layout.ledgerAt(roleOf(about)))).it.calls.some(({ id }) => id === about));
      case TOWARD:
        return this.parts.towardId(this.part(this.layout.ledgerAt(about)), addressOf(asked));
      case AT_ONCE:
        return this.atOnceOf(about);
    }
    throw new RangeError(`there is no question ${asked}`);
  }

  write(write: number, at: number, value: number): void {
    const { vector, parts: { mailboxes } } = this;
    if (write === SET) {
      vector[at] = value;
      return;
    }
    if (write === TOUCH) {
      this.touched |= 1 << at;
      return;
    }
    const index = this.layout.mailboxAt(at);
    const mailbox = this.part(index);
    if (write === APPEND) vector[index] = mailboxes.with(mailbox, value);
    else if (write === TAKE) vector[index] = mailboxes.withoutHead(mailbox, value);
    else if (write === FORGET) vector[index] = mailboxes.withoutCall(mailbox, value);
  }

  get world(): Kind {
    return this.parts.worlds.at(this.worldId);
  }

  get happened(): readonly string[] {
    return this.fate.happened;
  }

  get hasStruck(): boolean {
    const { kills, timeouts } = this.system.bounds;
    return this.fate.kills < kills || this.fate.timeouts < timeouts;
  }

  get fate(): Fate {
    return this.parts.fates.at(this.askPart(FATE));
  }

  process(name: string): Local {
    return this.local(this.cast.roleNamed(name));
  }

  local(role: number): Local {
    return this.parts.locals.at(this.localId(role)).it;
  }

  ledger(role: number): Ledger {
    return this.parts.ledgers.at(this.askPart(this.layout.ledgerAt(role))).it;
  }

  /** No step asks for all of it. */
  mailbox(place: number): Mailbox {
    return this.parts.mailboxes.at(this.part(this.layout.mailboxAt(place))).it;
  }

  /** What is under way to a place, each channel in order. */
  underWayTo(place: number): readonly UnderWay[] {
    return this.parts.underWayIn(this.part(this.layout.mailboxAt(place)));
  }

  mailOf(name: string): readonly UnderWay[] {
    return this.underWayTo(this.cast.roleNamed(name));
  }

  nameOf(place: number): string {
    return this.cast.nameOf(place);
  }

  /** Whether a port can answer the first signal of a channel. */
  isReady(place: number, { signals }: Channel): boolean {
    const { isReady } = this.system.ports[place - this.system.roles.length] ?? {};
    if (isReady === undefined) return true;
    const signal = this.parts.signals.at(signals[0] ?? 0).it;
    return signal.kind !== 'message' || isReady(this.world, signal.message);
  }

  protected get worldId(): number {
    return this.askPart(WORLD);
  }

  protected set worldId(id: number) {
    this.set(WORLD, id);
  }

  protected get worldUnasked(): number {
    return this.part(WORLD);
  }

  protected setFate(fate: Fate): void {
    this.set(FATE, this.parts.fateId(fate));
  }

  protected localId(role: number): number {
    const id = this.askPart(this.layout.localAt(role));
    this.recording?.settled(question(IDENTITY, role));
    return id;
  }

  protected setLocal(role: number, id: number): void {
    this.set(this.layout.localAt(role), id);
    this.recording?.settled(question(IDENTITY, role));
  }

  protected setLedger(role: number, ledger: Ledger): void {
    this.set(this.layout.ledgerAt(role), this.parts.ledgerId(ledger));
  }

  protected identity(role: number): Identity {
    return this.parts.identities.at(this.ask(question(IDENTITY, role), true));
  }

  protected headOf(place: number, from: Address): number {
    return this.ask(question(HEAD, place, this.parts.addressId(from)));
  }

  /** The ids of its calls that anything names, as bits. */
  protected named(role: number): number {
    return this.ask(question(NAMED, role));
  }

  protected isOpen(call: number): boolean {
    return this.ask(question(OPEN, call)) === 1;
  }

  /** What of a role's ledger concerns another process. */
  protected toward(role: number, pid: Pid) {
    return this.parts.towards.at(this.ask(question(TOWARD, role, this.parts.addressId(pid))));
  }

  /** From whom a process takes what comes next at once. */
  protected takesAtOnce(role: number): Address | undefined {
    const address = this.ask(question(AT_ONCE, role));
    return address === NOBODY ? undefined : (this.parts.addresses.at(address) as Address);
  }

  protected append(place: number, from: Address, signal: number): void {
    this.wrote(APPEND, place, this.parts.mailboxes.postOf(this.parts.addressId(from), signal));
  }

  protected takeHead(place: number, from: Address): void {
    this.wrote(TAKE, place, this.parts.addressId(from));
  }

  protected forgetCall(place: number, call: number): void {
    this.wrote(FORGET, place, call);
  }

  protected touch(role: number): void {
    this.wrote(TOUCH, role, 0);
  }

  protected clearMailbox(place: number): void {
    this.set(this.layout.mailboxAt(place), this.parts.mailboxes.idOf([]));
  }

  protected placeOf(address: Address): number | undefined {
    const port = this.cast.portAt(address);
    if (port !== undefined) return port;
    const role = this.cast.roleAt(address);
    if (role === undefined) return undefined;
    const { status, pid } = this.identity(role);
    const isCalled = pid === address ? status === 'alive' || status === 'unborn' : status === 'alive' && this.cast.isRegistered(address);
    return isCalled ? role : undefined;
  }

  protected pidAt(place: number): Pid {
    const port = this.system.ports[place - this.system.roles.length];
    if (port !== undefined) return port.name as Address as Pid;
    const { pid } = this.identity(place);
    invariant(pid !== undefined, 'there is such a process');
    return pid;
  }

  protected lives(pid: Pid | undefined): boolean {
    return pid !== undefined && this.placeOf(pid) !== undefined;
  }

  protected specOf(role: number): Role<Kind> {
    const spec = this.system.roles[role];
    invariant(spec !== undefined, 'a process has a role');
    return spec;
  }

  protected urgent(role: number): readonly Message[] {
    const local = this.local(role);
    return local.status === 'alive' ? local.urgent : [];
  }

  private atOnceOf(role: number): number {
    const { layout } = this;
    const [local, mailbox] = [this.part(layout.localAt(role)), this.part(layout.mailboxAt(role))];
    return this.parts.takesAtOnce(this.specOf(role), local, mailbox, this.worldUnasked);
  }

  private namedOf(role: number): number {
    const { parts: { locals, ledgers, mailboxes }, layout } = this;
    let named = 0;
    for (let place = 0; place < layout.places; place += 1) named |= mailboxes.at(this.part(layout.mailboxAt(place))).named[role] ?? 0;
    for (let each = 0; each < layout.roles; each += 1) named |= locals.at(this.part(layout.localAt(each))).named[role] ?? 0;
    return named | (ledgers.at(this.part(layout.ledgerAt(role))).named[role] ?? 0);
  }

  private part(index: number): number {
    return this.vector[index] ?? 0;
  }

  private askPart(index: number): number {
    return this.ask(question(PART, index), true);
  }

  private ask(asked: number, isLasting = false): number {
    const answer = this.answer(asked);
    this.recording?.asked(asked, answer, isLasting);
    return answer;
  }

  private set(index: number, id: number): void {
    this.wrote(SET, index, id);
    this.recording?.settled(question(PART, index));
  }

  private wrote(write: number, at: number, value: number): void {
    this.write(write, at, value);
    this.recording?.wrote(write, at, value);
  }
}

function firstVector<Kind extends World<Kind>>(system: System<Kind>, parts: Evaluator<Kind>, layout: Layout): Int32Array {
  const { world, roles, bounds } = system;
  const vector = new Int32Array(layout.width).fill(parts.mailboxes.idOf([]));
  vector[WORLD] = parts.worldId(world);
  vector[FATE] = parts.fateId({ ...bounds, happened: [], starts: roles.map(() => 0) });
  for (let role = 0; role < roles.length; role += 1) {
    vector[layout.localAt(role)] = parts.localId({ status: 'absent' });
    vector[layout.ledgerAt(role)] = parts.ledgerId(EMPTY);
  }
  return vector;
}

