/**
 * Draft: one state while a step makes another one of it. What a process asks of others is done here, by the rules of the
 * runtime's kernel: `calls.ts`, `monitors.ts`, `multicall.ts` and `exits.ts` in `src/otp/kernel`.
 */
import { invariant } from '../../../src/base/invariant.ts';
import type { Address, ExitReason, Message, Pid } from '../../../src/otp/process.ts';
import { freeId, idOfReplyTo, NONE, replyToOf, roleOf, union } from './call-ids.ts';
import { pidOf, type Evaluator, type Step } from './evaluator.ts';
import { GlobalState } from './global-state.ts';
import { EMPTY, type Group, type OpenCall } from './ledger.ts';
import type { Note } from './note.ts';
import type { Output } from './performance.ts';
import { describeSignal, type Channel, type Signal, type Waiter } from './signal.ts';
import type { Answer, Happening, Port, Start, System, World } from './system.ts';

/** How the names of channels begin in which somebody is killed. */
export const KILLED_BY = 'kill by ';

export class Draft<Kind extends World<Kind>> extends GlobalState<Kind> {
  private readonly notes: Note[] = [];
  /** Call ids that this step has in hand: no new call gets one of them. */
  private held = NONE;

  /** The system before anything has happened. */
  static first<Kind extends World<Kind>>(system: System<Kind>, parts: Evaluator<Kind>): Draft<Kind> {
    const draft = new Draft(system, parts, undefined);
    for (const role of system.starts) draft.start({ role });
    return draft;
  }

  get told(): readonly Note[] {
    return this.notes;
  }

  /** The first signal of a channel reaches its process. */
  deliver(place: number, { from }: Pick<Channel, 'from'>): void {
    const id = this.headOf(place, from);
    const signal = this.parts.signals.at(id).it;
    this.takeHead(place, from);
    this.notes.push({ deliver: describeSignal(signal), from, to: this.nameOf(place) });
    if (place >= this.system.roles.length) return this.serve(place, signal);
    this.touch(place);
    this.hand(place, id);
  }

  /** The next of what a process has inserted, or postponed. */
  goOn(role: number): void {
    const [message] = this.urgent(role);
    invariant(message !== undefined, 'something is urgent');
    this.notes.push({ goOn: message.type, role: this.nameOf(role) });
    this.setLocal(role, this.parts.withoutUrgent(this.localId(role)));
    this.touch(role);
    this.tell(role, message);
  }

  kill(role: number): void {
    const { fate } = this;
    this.setFate({ ...fate, kills: fate.kills - 1 });
    this.notes.push({ kill: this.nameOf(role) });
    this.run(role, this.parts.signalId({ kind: 'kill' }));
  }

  timeout(role: number, name: string): void {
    const { fate } = this;
    const local = this.local(role);
    invariant(local.status === 'alive', 'a process that lives has timers');
    const { [name]: content, ...timers } = local.timers;
    this.setFate({ ...fate, timeouts: fate.timeouts - 1 });
    this.notes.push({ timeout: name, role: this.nameOf(role) });
    this.setLocal(role, this.parts.localId({ ...local, timers }));
    this.tell(role, { type: `timeout.${name}`, content });
  }

  /** Nobody of a multicall has answered for too long. */
  silence(role: number, group: Group): void {
    const { fate } = this;
    const ledger = this.ledger(role);
    const open = ledger.calls.filter((call) => isOf(group, call));
    this.setFate({ ...fate, timeouts: fate.timeouts - 1 });
    this.notes.push({ silence: group.as, role: this.nameOf(role) });
    this.setLedger(role, { ...ledger, calls: ledger.calls.filter((call) => !open.includes(call)) });
    for (const { id } of open) this.forgetCall(role, id);
    this.finish(role, { ...group, failed: [...group.failed, ...open.map(({ to }) => to)] });
  }

  happen({ name, isRemembered, isCrash, toWorld, start, sends = [] }: Happening<Kind>): void {
    this.notes.push({ happen: name });
    if (isCrash === true) this.clear();
    if (isRemembered === true) {
      const { fate } = this;
      this.setFate({ ...fate, happened: [...fate.happened, name].sort() });
    }
    if (toWorld !== undefined) this.change(name, toWorld);
    if (isCrash === true) for (const role of this.system.starts) this.start({ role });
    if (start !== undefined) this.start(start);
    for (const { from, to, event } of sends) this.sendFromOutside(from as Address, to, event);
  }

  private sendFromOutside(from: Address, to: Address, message: Message): void {
    const place = this.placeOf(to);
    if (place === undefined) return;
    this.touch(place);
    this.put(place, from, { kind: 'message', message });
  }

  /** Whoever goes on or takes something at once does so, until nobody does. */
  hurry(): void {
    for (let role = this.takeTouched(); role !== -1; role = this.takeTouched()) this.hasten(role);
  }

  /** One role, which does one thing at the most. */
  hasten(role: number): void {
    this.held = NONE;
    if (this.goesOnAtOnce(role)) this.goOn(role);
    else this.takeAtOnce(role);
  }

  private goesOnAtOnce(role: number): boolean {
    const { asksAtOnce } = this.specOf(role);
    const [message] = asksAtOnce === undefined ? [] : this.urgent(role);
    if (asksAtOnce === undefined || message === undefined) return false;
    const { local, world, outputs } = this.stepBehindUrgent(role, message);
    return this.isAlive(local) && (world === undefined || world === this.worldId) && outputs.every(asksAtOnce);
  }

  private takeAtOnce(role: number): void {
    if (this.specOf(role).takesAtOnce === undefined) return;
    const from = this.takesAtOnce(role);
    if (from !== undefined) this.deliver(role, { from });
  }

  private clear(): void {
    const { roles, ports } = this.system;
    for (let place = 0; place < roles.length + ports.length; place += 1) this.clearMailbox(place);
    const absent = this.parts.localId({ status: 'absent' });
    for (let role = 0; role < roles.length; role += 1) {
      this.setLocal(role, absent);
      this.setLedger(role, EMPTY);
    }
  }

  private change(name: string, toWorld: (world: Kind) => void): void {
    const nothing: Answer = {};
    this.worldId = this.parts.change(this.worldId, name, (world) => (toWorld(world), nothing)).world;
  }

  private start({ role: name, args = {} }: Start, waiter?: Waiter): void {
    const role = this.cast.roleNamed(name);
    const { fate } = this;
    const starts = fate.starts.map((count, index) => (index === role ? count + 1 : count));
    this.setFate({ ...fate, starts });
    const pid = `${name}#${starts[role] ?? 0}` as Pid;
    this.setLocal(role, this.parts.localId({ status: 'unborn', pid }));
    this.put(role, '@supervisor', { kind: 'init', args, waiter: waiter && { ...waiter, event: { ...waiter.event, pid } } });
  }

  private hand(role: number, id: number): void {
    const { it: signal, named } = this.parts.signals.at(id);
    this.held = union(this.held, named);
    if (signal.kind === 'reply') this.receiveReply(role, signal.call, signal.message);
    else if (signal.kind === 'callFailed') this.receiveFailure(role, signal.call, signal.reason);
    else if (signal.kind === 'down') this.receiveDown(role, signal);
    else this.run(role, id);
    if (signal.kind === 'init' && signal.waiter !== undefined) this.reply('@supervisor', signal.waiter.call, signal.waiter.event);
  }

  private receiveReply(role: number, id: number, message: Message): void {
    const call = this.close(role, id);
    if (call.isOfGroup) this.settle(role, call, []);
    else if (!call.isTold) this.tell(role, message);
  }

  private receiveFailure(role: number, id: number, reason: ExitReason): void {
    const call = this.close(role, id);
    if (call.isOfGroup) this.settle(role, call, [call.to]);
    else if (!call.isTold && !this.hearsOfEnd(role, call)) {
      this.tell(role, { type: `${call.as}.failed`, to: call.to, request: call.request, reason });
    }
  }

  private receiveDown(role: number, { monitor, reason }: Signal & { kind: 'down' }): void {
    const { calls, monitors, groups } = this.ledger(role);
    const { target, address, as } = monitor;
    const isOfTarget = (call: OpenCall): boolean => target !== undefined && call.target === target;
    const told = calls.map((call) => (isOfTarget(call) ? { ...call, isTold: true } : call));
    const at = monitors.findIndex((each) => each.address === address && each.as === as);
    this.setLedger(role, { calls: told, monitors: monitors.filter((_, index) => index !== at), groups });
    this.tell(role, { type: `${as}.down`, process: address, reason });
  }

  /** A call of a multicall has its outcome. */
  private settle(role: number, { as }: OpenCall, failed: readonly Address[]): void {
    const { calls, monitors, groups } = this.ledger(role);
    const group = groups.find((each) => each.as === as);
    invariant(group !== undefined, 'a call of a multicall has its group');
    const noted = { ...group, failed: [...group.failed, ...failed] };
    if (calls.some((call) => isOf(group, call))) {
      this.setLedger(role, { calls, monitors, groups: groups.map((each) => (each === group ? noted : each)) });
    } else this.finish(role, noted);
  }

  private finish(role: number, { as, failed }: Group): void {
    const ledger = this.ledger(role);
    this.setLedger(role, { ...ledger, groups: ledger.groups.filter((group) => group.as !== as) });
    this.tell(role, { type: `${as}.done`, failed });
  }

  private close(role: number, id: number): OpenCall {
    const ledger = this.ledger(role);
    const call = ledger.calls.find((each) => each.id === id);
    invariant(call !== undefined, 'what is under way to a caller is of an open call');
    this.setLedger(role, { ...ledger, calls: ledger.calls.filter((each) => each !== call) });
    this.forgetCall(role, id);
    return call;
  }

  private hearsOfEnd(role: number, { target, to }: Pick<OpenCall, 'target' | 'to'>): boolean {
    return this.ledger(role).monitors.some((monitor) => {
      return target === undefined ? monitor.address === to && !this.lives(monitor.target) : monitor.target === target;
    });
  }

  /** An event for a machine. */
  private tell(role: number, message: Message): void {
    this.run(role, this.parts.messageId(message));
  }

  /** One transition of a process, and those behind it that concern nobody else. */
  private run(role: number, signal: number): void {
    this.take(role, this.step(role, this.localId(role), signal));
    for (let [message] = this.urgent(role); message !== undefined; [message] = this.urgent(role)) {
      const step = this.stepBehindUrgent(role, message);
      if (!this.isAlone(step)) return;
      this.notes.push({ goOn: message.type, role: this.nameOf(role) });
      this.take(role, step);
    }
  }

  private step(role: number, local: number, signal: number): Step {
    const step = this.parts.step(this.specOf(role), local, this.worldUnasked, signal);
    if (this.parts.looksAtWorld(local, signal)) void this.worldId;
    return step;
  }

  /** What the first of what is urgent for a process makes of it. */
  private stepBehindUrgent(role: number, message: Message): Step {
    return this.step(role, this.parts.withoutUrgent(this.localId(role)), this.parts.messageId(message));
  }

  /**
   * What a process does inside itself is taken at once with what came before. It looks at nothing that others change and
   * changes nothing that they see; and whoever kills the process leaves the same behind before it and after it. So it
   * commutes with every other step, and no property looks at a live process in between.
   */
  private isAlone({ local, world, outputs }: Step): boolean {
    return world === undefined && outputs.length === 0 && this.isAlive(local);
  }

  private isAlive(local: number): boolean {
    return this.parts.locals.at(local).it.status === 'alive';
  }

  private take(role: number, step: Step): void {
    const pid = pidOf(this.local(role));
    this.setLocal(role, step.local);
    if (step.world !== undefined && step.world !== this.worldId) this.worldId = step.world;
    this.held = union(this.held, step.named);
    for (const output of step.outputs) this.perform(role, pid, output);
    const local = this.local(role);
    if (local.status === 'dead') this.end(role, pid, local.reason);
  }

  private perform(role: number, pid: Pid, output: Output): void {
    switch (output.type) {
      case 'send':
        return this.send(pid, output.to, { kind: 'message', message: output.event });
      case 'reply':
        return this.reply(pid, idOfReplyTo(output.to), output.event);
      case 'call':
        return this.call(role, pid, output.to, output.request, output.as ?? 'call', false);
      case 'multicall':
        return this.callEach(role, pid, output);
      case 'monitor':
        return this.monitor(role, output.process, output.as);
      case 'kill':
        return this.send(killedBy(pid), output.process, { kind: 'kill' });
      case 'demonitor':
        invariant(false, 'a monitor of these systems is never taken back');
    }
  }

  protected override touch(place: number): void {
    const { takesAtOnce, asksAtOnce } = this.system.roles[place] ?? {};
    if (takesAtOnce !== undefined || asksAtOnce !== undefined) super.touch(place);
  }

  private send(from: Address, to: Address, signal: Signal): void {
    const place = this.placeOf(to);
    if (place !== undefined) this.put(place, from, signal);
  }

  private put(place: number, from: Address, signal: Signal): void {
    if (signal.kind !== 'message') this.touch(place);
    this.append(place, from, signal.kind === 'message' ? this.parts.messageId(signal.message) : this.parts.signalId(signal));
  }

  /** Vanishes when nobody waits for it any more. */
  private reply(from: Address, call: number, message: Message): void {
    if (this.isOpen(call)) this.put(roleOf(call), from, { kind: 'reply', call, message });
  }

  private call(owner: number, pid: Pid, to: Address, request: Message, as: string, isOfGroup: boolean): void {
    const place = this.placeOf(to);
    const target = place === undefined ? undefined : this.pidAt(place);
    if (target === undefined && !isOfGroup && this.hearsOfEnd(owner, { target, to })) return;
    const id = freeId(owner, (this.held[owner] ?? 0) | this.named(owner));
    const ledger = this.ledger(owner);
    const opened: OpenCall = { id, target, to, request: request.type, as, isOfGroup, isTold: false };
    this.setLedger(owner, { ...ledger, calls: [...ledger.calls, opened] });
    if (place === undefined) this.put(owner, to, { kind: 'callFailed', call: id, reason: 'noproc' });
    else this.request(place, pid, id, request);
  }

  private request(place: number, from: Pid, id: number, request: Message): void {
    const port = this.system.ports[place - this.system.roles.length];
    if (port?.computes === 'asked') this.respond(port, request, id);
    else this.put(place, from, { kind: 'message', message: { ...request, replyTo: replyToOf(id) } });
  }

  private callEach(owner: number, pid: Pid, { to, request, as, silenceMs }: Output & { type: 'multicall' }): void {
    const ledger = this.ledger(owner);
    invariant(!ledger.groups.some((group) => group.as === as), 'one multicall of a word is out at a time');
    this.setLedger(owner, { ...ledger, groups: [...ledger.groups, { as, isLimited: silenceMs !== undefined, failed: [] }] });
    for (const each of to) this.call(owner, pid, each, request, as, true);
  }

  private monitor(owner: number, address: Address, as: string): void {
    const place = this.placeOf(address);
    const monitor = { target: place === undefined ? undefined : this.pidAt(place), address, as };
    const ledger = this.ledger(owner);
    this.setLedger(owner, { ...ledger, monitors: [...ledger.monitors, monitor] });
    if (place === undefined) this.put(owner, address, { kind: 'down', monitor, reason: 'noproc' });
  }

  /** A request reaches a port. That of a caller that has ended is cancelled. */
  private serve(place: number, signal: Signal): void {
    const port = this.system.ports[place - this.system.roles.length];
    invariant(port !== undefined && signal.kind === 'message', 'a port is sent messages');
    const { replyTo, ...request } = signal.message;
    if (replyTo === undefined) return this.respond(port, signal.message, undefined);
    const id = idOfReplyTo(String(replyTo));
    if (this.isOpen(id)) this.respond(port, request, id);
    else if (port.isProcess === true) this.respond(port, request, undefined);
  }

  private respond(port: Port<Kind>, request: Message, id: number | undefined): void {
    const { world, answer } = this.parts.ask(port, this.worldId, request);
    if (world !== this.worldId) this.worldId = world;
    for (const { to, event } of answer.sends ?? []) this.send(port.name, to, { kind: 'message', message: event });
    const waiter = id === undefined || answer.reply === undefined ? undefined : { call: id, event: answer.reply };
    if (answer.start !== undefined) this.start(answer.start, waiter);
    else if (waiter !== undefined) this.reply(port.name, waiter.call, waiter.event);
  }

  /** Everything that belonged to the process goes first; then its monitors are told, and after them those who have called it. */
  private end(role: number, pid: Pid, reason: ExitReason): void {
    this.setLedger(role, EMPTY);
    this.clearMailbox(role);
    for (const other of this.system.roles.keys()) {
      const { monitors, calls } = this.toward(other, pid);
      for (const monitor of monitors) this.put(other, pid, { kind: 'down', monitor, reason });
      for (const call of calls) this.put(other, pid, { kind: 'callFailed', call, reason });
    }
    this.notes.push({ end: pid, reason });
    const { undertakers = [] } = this.system;
    const name = this.nameOf(role);
    for (const { port, watches } of undertakers) {
      if (watches.includes(name)) this.tellEnd(pid, port, { type: 'ended', role: name, reason });
    }
  }

  private tellEnd(pid: Pid, name: Address, message: Message): void {
    const port = this.system.ports.find((each) => each.name === name);
    if (port?.computes === 'asked') this.respond(port, message, undefined);
    else this.send(pid, name, { kind: 'message', message });
  }
}

/** A channel of its own: a kill waits for nothing that was sent before. */
function killedBy(pid: Pid): Address {
  return `${KILLED_BY}${pid}` as Address;
}

function isOf({ as }: Group, call: OpenCall): boolean {
  return call.isOfGroup && call.as === as;
}
