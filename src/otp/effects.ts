/**
 * Effects: what a machine may ask of the runtime, as named actions with serialisable parameters.
 *
 * Spread into a machine's actions: `setup({ actions: { ...effects } })`. They are performed when the transition is
 * over, in the order in which it asked; a transition that throws, or that does not exist, performs none of them.
 */
import { invariant } from '../base/invariant.ts';
import { call, cancelCalls, insert, reply } from './kernel/calls.ts';
import { entryOf, type Entry, type SpawnRequest, type StartRequest } from './kernel/entry.ts';
import { inJson } from './kernel/error-report.ts';
import { link, unlink } from './kernel/links.ts';
import { InvalidExitReasonError } from './kernel/machine-process.ts';
import { demonitor, monitor, type DemonitorRequest } from './kernel/monitors.ts';
import { multicall, type MulticallRequest } from './kernel/multicall.ts';
import {
  isExitReason, type Address, type ExitReason, type Message, type Name, type RecipientsTable, type ReplyTo, type Table,
} from './process.ts';
import { cancelTimer, startTimer, updateTimer, type TimerRequest } from './kernel/process-timers.ts';
import { spawn, start, startTask, type AsyncRequest } from './kernel/starts.ts';

/** What each effect takes. `as` is the word with which the events begin that come of it. */
export interface EffectParams {
  /** A new process; `<as>.spawned { process, id }` is the very next event. `monitor` tells `<as>.down`. */
  spawn: SpawnRequest;
  /** A new process, once it is up: `<as>.started { process, id }` or `<as>.failed { id, reason }`, which may be `ignore` or `timeout`. */
  start: StartRequest;
  /** A `task`, linked unless `link` is false: `<as>.done { value }` or `<as>.failed { reason }`; it is cancelled when its time is over. */
  async: AsyncRequest;
  /** Gives up the calls and tasks of this word: no outcome follows, and a task is cancelled. */
  cancel: { as: string };
  /** Takes a further name; the very next event is `<as>.registered { name }` or `<as>.taken { name, process }`. */
  register: { name: Name; value?: unknown; as: string };
  /** Gives a name back; one of another process stays. */
  unregister: { name: Name };
  /** Changes what a name of this process says besides. */
  updateValue: { name: Name; value: unknown };
  /**
   * To be told what is registered and given back in a registry: `<as>.registered { name, process, value }` and
   * `<as>.unregistered { name, process }`.
   */
  listen: { registry: string; as: string };
  /** Changes the word for people that stands beside the process. */
  label: { label: string };
  /** Hibernates as soon as nothing waits in its mailbox and no call is out. Whatever reaches the process wakes it. */
  hibernate: undefined;
  /** Sends a message. It vanishes when nobody is there. */
  send: { to: Address; event: Message };
  /** The same message to each of a few. */
  sendToEach: { to: readonly Address[]; event: Message };
  /** Tells the owner `<as>.down`, once, when `process` ends; at once, with `noproc`, when it has. */
  monitor: { process: Address; as: string };
  /** Forgets monitors of this process; by default all that it has on the other, and also a DOWN that is under way. */
  demonitor: DemonitorRequest;
  /** From now on the two end together, unless one of them traps exits or ends `normal`. */
  link: { process: Address };
  /** Takes a link back, from both sides. */
  unlink: { process: Address };
  /** Sends `exit`; `kill` cannot be trapped. */
  exit: { process: Address; reason: ExitReason | 'kill' };
  /** The same to each of a few. */
  exitEach: { processes: readonly Address[]; reason: ExitReason | 'kill' };
  /**
   * Monitor, request, and then exactly one of: the reply (an event of the replier's choice), or `<as>.failed`. A caller
   * that already monitors `to` is told of its death by that monitor alone. `as` defaults to `call`, `timeoutMs` to no limit.
   */
  call: { to: Address; request: Message; as?: string; timeoutMs?: number };
  /** Answers a request; vanishes when the caller has given up or died. */
  reply: { to: ReplyTo; event: Message };
  /** The same answer to each of a few. */
  replyToEach: { to: readonly ReplyTo[]; event: Message };
  /**
   * A call to each of the table's recipients. When all have answered or failed: `<as>.done { failed }`, the addresses of those
   * that failed, in that order. `silenceMs`, by default no limit, is for how many milliseconds nobody may answer: then those who
   * still have not fail, in the order in which they were called. It begins again with each answer and each death.
   */
  multicall: MulticallRequest & { table: string };
  /** Keeps the current event; it is delivered again, before any other, after the next change of state. */
  postpone: undefined;
  /** The process's next event, before postponed ones and the mailbox; several come in their order. */
  continue: { event: Message };
  /**
   * Becomes the event `timeout.<name> { content? }`; a timer of the same name starts over. `until` lets a change of state
   * or the next event cancel it. No delay: before everything in the mailbox, after what is queued inside.
   */
  startTimer: TimerRequest;
  /** Changes what a time-out will say, and not when. A timer that is not running is over at once. */
  updateTimer: { name: string; content: unknown };
  /** Its event does not come any more, also when it was over already and waits. */
  cancelTimer: { name: string };
  /** Changes a table of this process; its answer, if any, is the process's next event, before any other. */
  apply: { table: string; change: unknown };
  /** Ends this process with `reason` when the transition is over: for a reason that a final state does not say. */
  stop: { reason: ExitReason };
}

/** The actions by their names, as `setup` of xstate takes them. */
export type Effects = { readonly [Name in keyof EffectParams]: (args: { self: object }, params: EffectParams[Name]) => void };

/** What a machine may ask of the runtime: `setup({ actions: effects })`, or spread among actions of its own. */
export const effects: Effects = {
  spawn: effect(spawn),
  start: effect(start),
  async: effect(startTask),
  cancel: effect((entry, { as }) => cancelCalls(entry, as)),
  register: effect(performRegister),
  unregister: effect((entry, { name }) => entry.kernel.registry.unregister(entry, name)),
  updateValue: effect((entry, { name, value }) => entry.kernel.registry.update(entry, name, value)),
  listen: effect((entry, { registry, as }) => entry.kernel.registry.listen(entry, registry, as)),
  hibernate: effect((entry) => void (entry.hibernatesSoon = true)),
  label: effect((entry, { label }) => void (entry.label = label)),
  send: effect(performSend),
  sendToEach: effect((entry, { to, event }) => to.forEach((address) => performSend(entry, { to: address, event }))),
  monitor: effect((entry, { process, as }) => monitor(entry, process, as)),
  demonitor: effect(demonitor),
  link: effect((entry, { process }) => link(entry, process)),
  unlink: effect((entry, { process }) => unlink(entry, process)),
  exit: effect(performExit),
  exitEach: effect((entry, { processes, reason }) => processes.forEach((process) => performExit(entry, { process, reason }))),
  call: effect((entry, params) => call(entry, params)),
  reply: effect((entry, { to, event }) => reply(entry, to, event)),
  replyToEach: effect((entry, { to, event }) => to.forEach((caller) => reply(entry, caller, event))),
  multicall: effect(performMulticall),
  postpone: effect(performPostpone),
  continue: effect((entry, { event }) => insert(entry, event)),
  startTimer: effect(startTimer),
  updateTimer: effect((entry, { name, content }) => updateTimer(entry, name, content)),
  cancelTimer: effect((entry, { name }) => cancelTimer(entry, name)),
  apply: effect(performApply),
  stop: effect((entry, { reason }) => void (entry.stopReason = reason)),
};

/** Makes an action of what `perform` does to a process. A supervisor makes its own effects by it. */
export function effect<Params>(perform: (entry: Entry, params: Params) => void): (args: { self: object }, params: Params) => void {
  return ({ self }, params) => {
    const entry = entryOf(self);
    invariant(entry !== undefined, 'an effect is asked for by a process of a runtime');
    entry.effects.push({ perform, params });
  };
}

function performSend(entry: Entry, { to, event }: EffectParams['send']): void {
  const target = entry.kernel.resolve(to);
  if (target !== undefined) entry.kernel.enqueue(target, { kind: 'message', source: entry, message: event });
}

function performExit(entry: Entry, { process, reason }: EffectParams['exit']): void {
  if (reason !== 'kill' && !isExitReason(reason)) {
    throw new InvalidExitReasonError(`${entry.pid} gave ${inJson(reason)} to ${process}, which is no exit reason`);
  }
  const target = entry.kernel.resolve(process);
  if (target !== undefined) entry.kernel.enqueue(target, { kind: 'exit', source: entry, reason });
}

function performRegister(entry: Entry, { name, value, as }: EffectParams['register']): void {
  const holder = entry.kernel.registry.register(entry, name, value);
  insert(entry, holder === undefined ? { type: `${as}.registered`, name } : { type: `${as}.taken`, name, process: holder.pid });
}

function performMulticall(entry: Entry, { table, ...params }: EffectParams['multicall']): void {
  const recipients = tableOf(entry, table);
  invariant(hasRecipients(recipients), `table '${table}' names the recipients of a multicall`);
  multicall(entry, recipients.recipients(), params);
}

function performPostpone(entry: Entry): void {
  if (entry.current !== undefined) entry.postponed.push(entry.current);
}

function performApply(entry: Entry, { table, change }: EffectParams['apply']): void {
  const answer = tableOf(entry, table).apply(change);
  if (answer !== undefined) insert(entry, answer);
}

function tableOf(entry: Entry, name: string): Table {
  const table = entry.tables?.[name];
  invariant(table !== undefined, `the process has a table '${name}'`);
  return table;
}

function hasRecipients(table: Table): table is RecipientsTable {
  return 'recipients' in table;
}
