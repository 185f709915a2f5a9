/**
 * GlobalState: one state of a system, as the numbers of its parts, and how its parts are found and exchanged.
 *
 * The vector holds the world, the ledger, what has happened from outside, the local state of each role, and then the mailboxes
 * of roles and of ports. A *place* is the number of a role, or behind all roles that of a port.
 */
import { invariant } from '../../../src/base/invariant.ts';
import type { Address, Message, Pid } from '../../../src/otp/process.ts';
import { pidOf, type Evaluator, type Fate } from './evaluator.ts';
import type { Ledger } from './ledger.ts';
import type { Local } from './local.ts';
import { withSignal, type Mailbox, type Signal, type UnderWay } from './signal.ts';
import type { Role, System, View, World } from './system.ts';

const [WORLD, LEDGER, FATE, FIRST_LOCAL] = [0, 1, 2, 3];

export class GlobalState<Kind extends World<Kind>> implements View<Kind> {
  private readonly vector: Int32Array;
  /** As this step has made it so far; its number is looked up when the step is over. */
  private changedLedger: Ledger | undefined;

  constructor(
    protected readonly system: System<Kind>,
    protected readonly parts: Evaluator<Kind>,
    /** Undefined for the system before anything has happened. */
    vector: Int32Array | undefined,
  ) {
    this.vector = vector?.slice() ?? firstVector(system, parts);
  }

  get state(): Int32Array {
    if (this.changedLedger !== undefined) this.vector[LEDGER] = this.parts.ledgerId(this.changedLedger);
    return this.vector;
  }

  protected get worldId(): number {
    return this.part(WORLD);
  }

  protected set worldId(id: number) {
    this.vector[WORLD] = id;
  }

  protected localId(role: number): number {
    return this.part(FIRST_LOCAL + role);
  }

  protected setLocal(role: number, id: number): void {
    this.vector[FIRST_LOCAL + role] = id;
  }

  get world(): Kind {
    return this.parts.worlds.at(this.part(WORLD));
  }

  get happened(): readonly string[] {
    return this.fate.happened;
  }

  get hasStruck(): boolean {
    const { kills, timeouts } = this.system.bounds;
    return this.fate.kills < kills || this.fate.timeouts < timeouts;
  }

  get fate(): Fate {
    return this.parts.fates.at(this.part(FATE));
  }

  set fate(fate: Fate) {
    this.vector[FATE] = this.parts.fateId(fate);
  }

  get ledger(): Ledger {
    return this.changedLedger ?? this.parts.ledgers.at(this.part(LEDGER)).it;
  }

  process(name: string): Local {
    return this.local(this.roleNamed(name));
  }

  local(role: number): Local {
    return this.parts.locals.at(this.part(FIRST_LOCAL + role)).it;
  }

  /** @param place of a role, or of a port behind all roles. */
  mailbox(place: number): Mailbox {
    return this.parts.mailboxes.at(this.part(this.mailboxAt(place))).it;
  }

  /** What is under way to a place, each channel in order. */
  underWayTo(place: number): readonly UnderWay[] {
    return this.mailbox(place).map(({ from, signals }) => ({ from, signals: signals.map((id) => this.parts.signals.at(id).it) }));
  }

  protected placeOf(address: Address): number | undefined {
    const { roles, ports } = this.system;
    const port = ports.findIndex(({ name }) => name === address);
    if (port !== -1) return roles.length + port;
    const role = roles.findIndex((spec, index) => {
      const local = this.local(index);
      if (local.status === 'alive') return local.pid === address || spec.registered === address;
      return local.status === 'unborn' && local.pid === address;
    });
    return role === -1 ? undefined : role;
  }

  protected pidAt(place: number): Pid {
    const port = this.system.ports[place - this.system.roles.length];
    return port === undefined ? pidOf(this.local(place)) : (port.name as Address as Pid);
  }

  protected lives(pid: Pid | undefined): boolean {
    return pid !== undefined && this.placeOf(pid) !== undefined;
  }

  /** The call ids that anything names. */
  protected named(): number {
    const { locals, mailboxes } = this.parts;
    const { roles, ports } = this.system;
    let named = 0;
    for (const { id } of this.ledger.calls) named |= 1 << id;
    for (let role = 0; role < roles.length; role += 1) named |= locals.at(this.part(FIRST_LOCAL + role)).named;
    for (let place = 0; place < roles.length + ports.length; place += 1) {
      named |= mailboxes.at(this.part(this.mailboxAt(place))).named;
    }
    return named;
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

  protected put(place: number, from: Address, signal: Signal): void {
    this.setMailbox(place, withSignal(this.mailbox(place), from, this.parts.signalId(signal)));
  }

  protected setMailbox(place: number, mailbox: Mailbox): void {
    this.vector[this.mailboxAt(place)] = this.parts.mailboxId(mailbox);
  }

  protected setLedger(ledger: Ledger): void {
    this.changedLedger = ledger;
  }

  protected mailboxAt(place: number): number {
    return FIRST_LOCAL + this.system.roles.length + place;
  }

  protected part(index: number): number {
    return this.vector[index] ?? 0;
  }

  protected roleNamed(name: string): number {
    const role = this.system.roles.findIndex((each) => each.name === name);
    invariant(role !== -1, `the system has a role ${name}`);
    return role;
  }

  nameOf(place: number): string {
    return this.system.roles[place]?.name ?? this.system.ports[place - this.system.roles.length]?.name ?? '';
  }

}

export function widthOf({ roles, ports }: Pick<System<never>, 'roles' | 'ports'>): number {
  return FIRST_LOCAL + 2 * roles.length + ports.length;
}

function firstVector<Kind extends World<Kind>>(system: System<Kind>, parts: Evaluator<Kind>): Int32Array {
  const { world, roles, bounds } = system;
  const vector = new Int32Array(widthOf(system)).fill(parts.mailboxId([]));
  vector[WORLD] = parts.worldId(world);
  vector[LEDGER] = parts.ledgerId({ calls: [], monitors: [], groups: [] });
  vector[FATE] = parts.fateId({ ...bounds, happened: [], starts: roles.map(() => 0) });
  return vector.fill(parts.localId({ status: 'absent' }), FIRST_LOCAL, FIRST_LOCAL + roles.length);
}
