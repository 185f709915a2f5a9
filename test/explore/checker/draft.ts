/**
 * Draft: one state while a step makes another one of it. What a process asks of others is done here, by the rules of the
 * runtime's kernel: `calls.ts`, `monitors.ts`, `multicall.ts` and `exits.ts` in `src/otp/kernel`.
 */
import { invariant } from '../../../src/base/invariant.ts';
import type { Address, ExitReason, Message, Pid } from '../../../src/otp/process.ts';
import { pidOf, type Evaluator, type Step } from './evaluator.ts';
import { GlobalState } from './global-state.ts';
import { freeId, idOfReplyTo, replyToOf, type Group, type OpenCall } from './ledger.ts';
import type { Note } from './note.ts';
import type { Output } from './performance.ts';
import { describeSignal, isOfCall, without, withoutFirst, withSignal, type Channel, type Signal, type Waiter } from './signal.ts';
import type { Answer, Happening, Port, Start, System, World } from './system.ts';

/** How the names of channels begin in which somebody is killed. */
export const KILLED_BY = 'kill by ';

export class Draft<Kind extends World<Kind>> extends GlobalState<Kind> {
  private readonly notes: Note[] = [];
  /** Call ids that this step has in hand, as bits: no new call gets one of them. */
  private held = 0;

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
  deliver(place: number, channel: Channel): void {
    const id = channel.signals[0] ?? 0;
    const signal = this.parts.signals.at(id).it;
    this.setMailbox(place, withoutFirst(this.mailbox(place), channel));
    this.notes.push({ deliver: describeSignal(signal), from: channel.from, to: this.nameOf(place) });
    if (place < this.system.roles.length) this.hand(place, id);
    else this.serve(place, channel.from as Pid, signal);
  }

  /** Whether a port can answer the first signal of a channel. */
  isReady(place: number, { signals }: Channel): boolean {
    const signal = this.parts.signals.at(signals[0] ?? 0).it;
    const { isReady } = this.system.ports[place - this.system.roles.length] ?? {};
    return isReady === undefined || signal.kind !== 'message' || isReady(this.world, signal.message);
  }

  /** The next of what a process has inserted, or postponed. */
  goOn(role: number): void {
    const [message] = this.urgent(role);
    invariant(message !== undefined, 'something is urgent');
    this.notes.push({ goOn: message.type, role: this.nameOf(role) });
    this.setLocal(role, this.parts.withoutUrgent(this.localId(role)));
    this.tell(role, message);
  }

  kill(role: number): void {
    this.fate = { ...this.fate, kills: this.fate.kills - 1 };
    this.notes.push({ kill: this.nameOf(role) });
    this.run(role, this.parts.signalId({ kind: 'kill' }));
  }

  timeout(role: number, name: string): void {
    const local = this.local(role);
    invariant(local.status === 'alive', 'a process that lives has timers');
    const { [name]: content, ...timers } = local.timers;
    this.fate = { ...this.fate, timeouts: this.fate.timeouts - 1 };
    this.notes.push({ timeout: name, role: this.nameOf(role) });
    this.setLocal(role, this.parts.localId({ ...local, timers }));
    this.tell(role, { type: `timeout.${name}`, content });
  }

  /** Nobody of a multicall has answered for too long. */
  silence(role: number, group: Group): void {
    const { ledger } = this;
    const open = ledger.calls.filter((call) => isOf(group, call));
    this.fate = { ...this.fate, timeouts: this.fate.timeouts - 1 };
    this.notes.push({ silence: group.as, role: this.nameOf(role) });
    this.setLedger({ ...ledger, calls: ledger.calls.filter((call) => !open.includes(call)) });
    for (const { id } of open) this.forget(role, id);
    this.finish(role, { ...group, failed: [...group.failed, ...open.map(({ to }) => to)] });
  }

  happen({ name, isRemembered, isCrash, toWorld, start, sends = [] }: Happening<Kind>): void {
    this.notes.push({ happen: name });
    if (isCrash === true) this.clear();
    if (isRemembered === true) this.fate = { ...this.fate, happened: [...this.fate.happened, name].sort() };
    if (toWorld !== undefined) this.change(name, toWorld);
    if (isCrash === true) for (const role of this.system.starts) this.start({ role });
    if (start !== undefined) this.start(start);
    for (const { from, to, event } of sends) this.send(from as Address, to, { kind: 'message', message: event });
  }

  private clear(): void {
    const { roles, ports } = this.system;
    this.setLedger({ calls: [], monitors: [], groups: [] });
    for (let place = 0; place < roles.length + ports.length; place += 1) this.setMailbox(place, []);
    const absent = this.parts.localId({ status: 'absent' });
    for (let role = 0; role < roles.length; role += 1) this.setLocal(role, absent);
  }

  private change(name: string, toWorld: (world: Kind) => void): void {
    const nothing: Answer = {};
    this.worldId = this.parts.change(this.worldId, name, (world) => (toWorld(world), nothing)).world;
  }

  private start({ role: name, args = {} }: Start, waiter?: Waiter): void {
    const role = this.roleNamed(name);
    const { fate } = this;
    const starts = fate.starts.map((count, index) => (index === role ? count + 1 : count));
    this.fate = { ...fate, starts };
    const pid = `${name}#${starts[role] ?? 0}` as Pid;
    this.setLocal(role, this.parts.localId({ status: 'unborn', pid }));
    this.put(role, '@supervisor', { kind: 'init', args, waiter: waiter && { ...waiter, event: { ...waiter.event, pid } } });
  }

  private hand(role: number, id: number): void {
    const { it: signal, named } = this.parts.signals.at(id);
    this.held |= named;
    if (signal.kind === 'reply') this.receiveReply(role, signal.call, signal.message);
    else if (signal.kind === 'callFailed') this.receiveFailure(role, signal.call, signal.reason);
    else if (signal.kind === 'down') this.receiveDown(role, signal);
    else this.run(role, id);
    if (signal.kind === 'init' && signal.waiter !== undefined) this.answer('@supervisor', signal.waiter.call, signal.waiter.event);
  }

  private receiveReply(role: number, id: number, message: Message): void {
    const call = this.close(role, id);
    if (call.isOfGroup) this.settle(role, call, []);
    else if (!call.isTold) this.tell(role, message);
  }

  private receiveFailure(role: number, id: number, reason: ExitReason): void {
    const call = this.close(role, id);
    if (call.isOfGroup) this.settle(role, call, [call.to]);
    else if (!call.isTold && !this.hearsOfEnd(call)) {
      this.tell(role, { type: `${call.as}.failed`, to: call.to, request: call.request, reason });
    }
  }

  private receiveDown(role: number, { monitor, reason }: Signal & { kind: 'down' }): void {
    const { calls, monitors, groups } = this.ledger;
    const { owner, target, address, as } = monitor;
    const isIt = (each: typeof monitor): boolean => each.owner === owner && each.address === address && each.as === as;
    const isOfTarget = (call: OpenCall): boolean => call.owner === owner && target !== undefined && call.target === target;
    const told = calls.map((call) => (isOfTarget(call) ? { ...call, isTold: true } : call));
    const at = monitors.findIndex(isIt);
    this.setLedger({ calls: told, monitors: monitors.filter((_, index) => index !== at), groups });
    this.tell(role, { type: `${as}.down`, process: address, reason });
  }

  /** A call of a multicall has its outcome. */
  private settle(role: number, { owner, as }: OpenCall, failed: readonly Address[]): void {
    const { calls, monitors, groups } = this.ledger;
    const group = groups.find((each) => each.owner === owner && each.as === as);
    invariant(group !== undefined, 'a call of a multicall has its group');
    const noted = { ...group, failed: [...group.failed, ...failed] };
    if (calls.some((call) => isOf(group, call))) {
      this.setLedger({ calls, monitors, groups: groups.map((each) => (each === group ? noted : each)) });
    } else this.finish(role, noted);
  }

  private finish(role: number, { owner, as, failed }: Group): void {
    const { ledger } = this;
    this.setLedger({ ...ledger, groups: ledger.groups.filter((group) => group.owner !== owner || group.as !== as) });
    this.tell(role, { type: `${as}.done`, failed });
  }

  private close(role: number, id: number): OpenCall {
    const { ledger } = this;
    const call = ledger.calls.find((each) => each.id === id);
    invariant(call !== undefined, 'what is under way to a caller is of an open call');
    this.setLedger({ ...ledger, calls: ledger.calls.filter((each) => each !== call) });
    this.forget(role, id);
    return call;
  }

  /** What would arrive on account of a closed call, and vanish. */
  private forget(role: number, id: number): void {
    const isVoid = (signal: number): boolean => isOfCall(this.parts.signals.at(signal).it, id);
    this.setMailbox(role, without(this.mailbox(role), isVoid));
  }

  private hearsOfEnd({ owner, target, to }: Pick<OpenCall, 'owner' | 'target' | 'to'>): boolean {
    return this.ledger.monitors.some((monitor) => {
      if (monitor.owner !== owner) return false;
      return target === undefined ? monitor.address === to && !this.lives(monitor.target) : monitor.target === target;
    });
  }

  /** An event for a machine. */
  private tell(role: number, message: Message): void {
    this.run(role, this.parts.messageId(message));
  }

  /** One transition of a process, and those behind it that concern nobody else. */
  private run(role: number, signal: number): void {
    const spec = this.specOf(role);
    this.take(role, this.parts.step(spec, this.localId(role), this.worldId, signal));
    for (let [message] = this.urgent(role); message !== undefined; [message] = this.urgent(role)) {
      const step = this.parts.step(spec, this.parts.withoutUrgent(this.localId(role)), this.worldId, this.parts.messageId(message));
      if (!this.isAlone(step)) return;
      this.notes.push({ goOn: message.type, role: spec.name });
      this.take(role, step);
    }
  }

  /**
   * What a process does inside itself is taken at once with what came before. It looks at nothing that others change and
   * changes nothing that they see; and whoever kills the process leaves the same behind before it and after it. So it
   * commutes with every other step, and no property looks at a live process in between.
   */
  private isAlone({ local, world, outputs }: Step): boolean {
    return world === undefined && outputs.length === 0 && this.parts.locals.at(local).it.status === 'alive';
  }

  private take(role: number, step: Step): void {
    const pid = pidOf(this.local(role));
    this.setLocal(role, step.local);
    if (step.world !== undefined) this.worldId = step.world;
    this.held |= step.named;
    for (const output of step.outputs) this.perform(pid, output);
    const local = this.local(role);
    if (local.status === 'dead') this.end(role, pid, local.reason);
  }

  private perform(pid: Pid, output: Output): void {
    switch (output.type) {
      case 'send':
        return this.sendMessage(pid, output.to, output.event);
      case 'reply':
        return this.answer(pid, idOfReplyTo(output.to), output.event);
      case 'call':
        return this.call(pid, output.to, output.request, output.as ?? 'call', false);
      case 'multicall':
        return this.callEach(pid, output);
      case 'monitor':
        return this.monitor(pid, output.process, output.as);
      case 'kill':
        return this.send(killedBy(pid), output.process, { kind: 'kill' });
      case 'demonitor':
        invariant(false, 'a monitor of these systems is never taken back');
    }
  }

  private send(from: Address, to: Address, signal: Signal): void {
    const place = this.placeOf(to);
    if (place !== undefined) this.put(place, from, signal);
  }

  private sendMessage(from: Address, to: Address, message: Message): void {
    const place = this.placeOf(to);
    if (place !== undefined) this.setMailbox(place, withSignal(this.mailbox(place), from, this.parts.messageId(message)));
  }

  private answer(from: Address, id: number, message: Message): void {
    const call = this.ledger.calls.find((each) => each.id === id);
    if (call !== undefined) this.send(from, call.owner, { kind: 'reply', call: id, message });
  }

  private call(owner: Pid, to: Address, request: Message, as: string, isOfGroup: boolean): void {
    const place = this.placeOf(to);
    const target = place === undefined ? undefined : this.pidAt(place);
    if (target === undefined && !isOfGroup && this.hearsOfEnd({ owner, target, to })) return;
    const id = freeId(this.held | this.named());
    const opened: OpenCall = { id, owner, target, to, request: request.type, as, isOfGroup, isTold: false };
    this.setLedger({ ...this.ledger, calls: [...this.ledger.calls, opened] });
    if (place === undefined) this.send(to, owner, { kind: 'callFailed', call: id, reason: 'noproc' });
    else this.ask(place, owner, id, request);
  }

  private ask(place: number, from: Pid, id: number, request: Message): void {
    const port = this.system.ports[place - this.system.roles.length];
    if (port?.computes === 'asked') this.respond(port, request, id);
    else this.put(place, from, { kind: 'message', message: { ...request, replyTo: replyToOf(id) } });
  }

  private callEach(owner: Pid, { to, request, as, silenceMs }: Output & { type: 'multicall' }): void {
    const { ledger } = this;
    invariant(!ledger.groups.some((group) => group.owner === owner && group.as === as), 'one multicall of a word is out at a time');
    this.setLedger({ ...ledger, groups: [...ledger.groups, { owner, as, isLimited: silenceMs !== undefined, failed: [] }] });
    for (const each of to) this.call(owner, each, request, as, true);
  }

  private monitor(owner: Pid, address: Address, as: string): void {
    const place = this.placeOf(address);
    const monitor = { owner, target: place === undefined ? undefined : this.pidAt(place), address, as };
    this.setLedger({ ...this.ledger, monitors: [...this.ledger.monitors, monitor] });
    if (place === undefined) this.send(address, owner, { kind: 'down', monitor, reason: 'noproc' });
  }

  /** A request reaches a port. That of a caller that has ended is cancelled. */
  private serve(place: number, from: Pid, signal: Signal): void {
    const port = this.system.ports[place - this.system.roles.length];
    invariant(port !== undefined && signal.kind === 'message', 'a port is sent messages');
    const { replyTo, ...request } = signal.message;
    if (replyTo === undefined) return this.respond(port, signal.message, undefined);
    const id = idOfReplyTo(String(replyTo));
    if (this.ledger.calls.some((call) => call.id === id && call.owner === from)) this.respond(port, request, id);
    else if (port.isProcess === true) this.respond(port, request, undefined);
  }

  private respond(port: Port<Kind>, request: Message, id: number | undefined): void {
    const { world, answer } = this.parts.ask(port, this.worldId, request);
    this.worldId = world;
    for (const { to, event } of answer.sends ?? []) this.sendMessage(port.name, to, event);
    const waiter = id === undefined || answer.reply === undefined ? undefined : { call: id, event: answer.reply };
    if (answer.start !== undefined) this.start(answer.start, waiter);
    else if (waiter !== undefined) this.answer(port.name, waiter.call, waiter.event);
  }

  /** Everything that belonged to the process goes first; then its monitors are told, and after them those who have called it. */
  private end(role: number, pid: Pid, reason: ExitReason): void {
    const { calls, monitors, groups } = this.ledger;
    const isOther = ({ owner }: { readonly owner: Pid }): boolean => owner !== pid;
    this.setLedger({ calls: calls.filter(isOther), monitors: monitors.filter(isOther), groups: groups.filter(isOther) });
    this.setMailbox(role, []);
    const { ledger } = this;
    for (const monitor of ledger.monitors) if (monitor.target === pid) this.send(pid, monitor.owner, { kind: 'down', monitor, reason });
    for (const { id, owner, target } of ledger.calls) if (target === pid) this.send(pid, owner, { kind: 'callFailed', call: id, reason });
    this.notes.push({ end: pid, reason });
    const { undertakers = [] } = this.system;
    const { name } = this.specOf(role);
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

function isOf({ owner, as }: Group, call: OpenCall): boolean {
  return call.isOfGroup && call.owner === owner && call.as === as;
}
