/** The effects that a machine may ask for, as named actions with serialisable parameters. Signatures only; see runtime. */
import type { Address, ExitReason, Message, ReplyTo } from './process.ts';

export interface EffectParams {
  send: { to: Address; event: Message };
  /** Tells the owner `<as>.down`, once, when `process` ends; at once, with `noproc`, when it has. */
  monitor: { process: Address; as: string };
  /** Forgets the monitor, also a DOWN that is already under way. */
  demonitor: { process: Address };
  link: { process: Address };
  unlink: { process: Address };
  /** Sends `exit`; `kill` cannot be trapped. */
  exit: { process: Address; reason: ExitReason | 'kill' };
  /**
   * Monitor, request, and then exactly one of: the reply (an event of the replier's choice), or `<as>.failed`. A caller
   * that already monitors `to` is told of its death by that monitor alone. `as` defaults to `call`, `timeoutMs` to no limit.
   */
  call: { to: Address; request: Message; as?: string; timeoutMs?: number };
  /** Answers a request; vanishes when the caller has given up or died. */
  reply: { to: ReplyTo; event: Message };
  /** Like a call to each of the table's recipients; one event `<as>.done { failed }` when all have answered or died. */
  multicall: { table: string; request: Message; as: string };
  /** Keeps the current event; it is delivered again, before any other, after the next change of state. */
  postpone: undefined;
  /** Becomes the event `timeout.<name>`; a timer of the same name starts over. */
  startTimer: { name: string; delayMs: number };
  cancelTimer: { name: string };
  /** Changes a table of this process; its answer, if any, is the process's next event, before any other. */
  apply: { table: string; change: unknown };
  /** Ends this process with `reason` when the transition is over: for a reason that a final state does not say. */
  stop: { reason: ExitReason };
}
