/**
 * Calls: a request and exactly one outcome.
 *
 * A call is a watch on its target, so the target's death is an outcome and a call cannot hang on the dead. Whatever
 * comes after the outcome (a late reply, a DOWN, a time-out that had fired) finds the call closed and vanishes.
 */
import { FewSet } from '../../base/few-set.ts';
import { invariant } from '../../base/invariant.ts';
import type { Call, CallGroup, Entry, Signal, Source } from './entry.ts';
import { hearsOfEnd } from './monitors.ts';
import type { Address, CallFailed, Message, ReplyTo } from '../process.ts';

type Settle = NonNullable<Call['settle']>;

/** Made once: a new one would draw up its stack for each call. */
const CALL_IS_OVER = new DOMException('The call is over: it was answered, or given up', 'AbortError');

export interface CallRequest {
  readonly to: Address;
  readonly request: Message;
  readonly as?: string;
  readonly timeoutMs?: number | undefined;
  /** To a port that has only just been made: no other request comes before this one. */
  readonly isFirst?: boolean;
}

export function call(owner: Entry, params: CallRequest, group?: CallGroup, settle?: Settle): void {
  const { kernel } = owner;
  const target = kernel.resolve(params.to);
  invariant(target !== owner, 'a process does not call itself: it could never answer');
  invariant(params.timeoutMs === undefined || params.timeoutMs >= 0, 'timeoutMs is a time of at least 0');
  // A monitor of the caller's tells it: that DOWN is under way already.
  if (target === undefined && group === undefined && settle === undefined && hearsOfEnd(owner, target, params.to)) return;
  const id = kernel.nextCallId(owner);
  const { to, request, as = 'call' } = params;
  const opened: Call = { kind: 'call', id, owner, target, to, request: request.type, as, timer: undefined, group, settle };
  kernel.calls.set(id, opened);
  owner.calls ??= new Set();
  owner.calls.add(opened);
  if (target === undefined) {
    const source: Source = { pid: params.to };
    kernel.enqueue(owner, { kind: 'down', source, watch: opened, reason: 'noproc' });
    return;
  }
  target.watchers ??= new FewSet();
  target.watchers.add(opened);
  if (params.timeoutMs !== undefined) {
    const late: Signal = { kind: 'callFailed', source: owner, call: opened, reason: 'timeout' };
    opened.timer = kernel.timers.set(params.timeoutMs, () => kernel.enqueue(owner, late));
  }
  const signal: Signal = { kind: 'message', source: owner, message: { ...params.request, replyTo: id } };
  if (params.isFirst !== true) kernel.enqueue(target, signal);
  else {
    kernel.tracer?.({ type: 'send', from: owner.pid, to: target.pid, message: signal.message });
    target.postponed.push(signal); // It is handled when the port is open.
  }
}

/** Puts `message` before everything that waits for `entry`. */
export function insert(entry: Entry, message: Message): void {
  entry.inserted.push({ kind: 'message', source: entry, message });
}

/** Answers a request; vanishes when nobody waits for it. */
export function reply(from: Entry, to: ReplyTo, message: Message): void {
  const opened = from.kernel.calls.get(to);
  if (opened !== undefined) from.kernel.enqueue(opened.owner, { kind: 'reply', source: from, call: opened, message });
}

/** The caller gets an answer that arrived. */
export function receiveReply(opened: Call, source: Source, message: Message): void {
  if (!closeCall(opened)) return;
  if (opened.group !== undefined) opened.group.settle(opened, source);
  else if (opened.settle !== undefined) opened.settle(message, 'normal');
  else if (opened.target?.toldOwners?.has(opened.owner) !== true) opened.owner.behaviour.receive(opened.owner, source, message);
}

/** The caller learns that no answer will come, unless a monitor of its own on the same process tells it. */
export function receiveFailure(opened: Call, source: Source, reason: CallFailed['reason']): void {
  if (!closeCall(opened)) return;
  const { owner, group, to, request, as } = opened;
  if (group !== undefined) group.settle(opened, source, reason);
  else if (opened.settle !== undefined) opened.settle(undefined, reason);
  else if (!isTold(opened, reason)) {
    owner.behaviour.receive(owner, source, { type: `${as}.failed`, to, request, reason });
  }
}

/** A time-out is told unless the end of the process was told before; the end itself is not told where a monitor tells it. */
function isTold(opened: Call, reason: CallFailed['reason']): boolean {
  if (reason === 'timeout' || reason === 'overloaded') return opened.target?.toldOwners?.has(opened.owner) === true;
  return hearsOfEnd(opened.owner, opened.target, opened.to);
}

/** The caller gives up its calls of this word: none of them has an outcome any more. */
export function cancelCalls(owner: Entry, as: string): void {
  for (const opened of owner.calls ?? []) if (opened.as === as) closeCall(opened);
}

/** The mailbox of `target` is full and drops the request: its caller need not wait. */
export function refuseRequest(target: Entry, { replyTo }: Message): void {
  const opened = target.kernel.calls.get(replyTo as ReplyTo);
  if (opened?.target !== target) return;
  target.kernel.enqueue(opened.owner, { kind: 'callFailed', source: target, call: opened, reason: 'overloaded' });
}

/** The caller ends: nobody waits for its answers. */
export function releaseCalls(owner: Entry): void {
  if (owner.calls === undefined) return;
  for (const opened of owner.calls) closeCall(opened);
  owner.calls = undefined;
}

/** @returns false when the call had its outcome already. */
export function closeCall(opened: Call): boolean {
  const { kernel } = opened.owner;
  if (!kernel.calls.delete(opened.id)) return false;
  opened.owner.calls?.delete(opened);
  opened.target?.watchers?.delete(opened);
  if (opened.timer !== undefined) kernel.timers.cancel(opened.timer);
  opened.abort?.abort(CALL_IS_OVER);
  opened.group?.release();
  return true;
}
