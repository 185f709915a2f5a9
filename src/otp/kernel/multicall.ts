/**
 * Multicall: the same request to many, and one event when each of them has answered or failed.
 *
 * Without a limit, one that never answers keeps its caller waiting for all. A limit of the whole would also cut off many who
 * answer one after the other: so the limit is one of silence, and begins again whenever the caller hears of somebody. What
 * must never go wrong: that an answer which the caller has got is cut off all the same. So a time-out that arrives asks when
 * somebody was last heard, and waits for what is left. That takes one timer, which no answer sets again, however many answer.
 */
import { invariant } from '../../base/invariant.ts';
import { call, closeCall, insert } from './calls.ts';
import type { Call, CallGroup, Entry, Source } from './entry.ts';
import type { Address, CallFailed, Message } from '../process.ts';
import type { HeapTimer } from './timer-heap.ts';

/** What each of several is asked. */
export interface MulticallRequest {
  /** The same to all. */
  readonly request: Message;
  /** With which the event begins that ends it. */
  readonly as: string;
  /** How long nobody may answer, in milliseconds; default as long as they like. */
  readonly silenceMs?: number;
}

/** `<as>.done` when the last of `recipients` has answered or failed, as the very next event when there is none. */
export function multicall(owner: Entry, recipients: Iterable<Address>, { request, as, silenceMs }: MulticallRequest): void {
  invariant(silenceMs === undefined || silenceMs >= 0, 'silenceMs is a time of at least 0');
  const addresses = [...recipients];
  if (addresses.length === 0) {
    insert(owner, { type: `${as}.done`, failed: [] });
    return;
  }
  const group = new Multicall(owner, as, addresses.length);
  for (const to of addresses) call(owner, { to, request, as }, group);
  if (silenceMs !== undefined) group.limitSilence(silenceMs);
}

/** A time-out that comes so late says that nothing ran for a while: nobody had a turn to answer. */
const STANDSTILL_MS = 50;

interface Silence {
  readonly maxMs: number;
  /** The time was given anew after a standstill. That happens once: a machine that is always late must not wait for ever. */
  hasStoodStill: boolean;
  /** When somebody was last heard, on the clock's scale. */
  sinceMs: number;
  timer: HeapTimer;
}

class Multicall implements CallGroup {
  private readonly owner: Entry;
  private readonly as: string;
  private readonly failed: Address[] = [];
  private pending: number;
  /** Undefined without a limit, and when no call is out any more. */
  private silence: Silence | undefined;

  constructor(owner: Entry, as: string, pending: number) {
    this.owner = owner;
    this.as = as;
    this.pending = pending;
  }

  limitSilence(maxMs: number): void {
    this.silence = { maxMs, hasStoodStill: false, sinceMs: this.owner.kernel.clock.nowMs(), timer: this.setTimer(maxMs) };
  }

  release(): void {
    this.pending -= 1;
    if (this.pending > 0 || this.silence === undefined) return;
    this.owner.kernel.timers.cancel(this.silence.timer);
    this.silence = undefined;
  }

  settle({ to }: Call, source: Source, reason?: CallFailed['reason']): void {
    if (reason !== undefined) this.failed.push(to);
    if (this.pending === 0) this.finish(source);
    else if (this.silence !== undefined) this.silence.sinceMs = this.owner.kernel.clock.nowMs();
  }

  receiveSilence(): void {
    const { owner, silence, failed } = this;
    if (silence === undefined) return;
    const nowMs = owner.kernel.clock.nowMs();
    if (nowMs - silence.sinceMs - silence.maxMs > STANDSTILL_MS && !silence.hasStoodStill) {
      silence.hasStoodStill = true;
      silence.sinceMs = nowMs;
    }
    const leftMs = silence.sinceMs + silence.maxMs - nowMs;
    if (leftMs > 0) {
      silence.timer = this.setTimer(leftMs);
      return;
    }
    for (const opened of owner.calls ?? []) {
      if (opened.group !== this) continue;
      closeCall(opened);
      failed.push(opened.to);
    }
    this.finish(owner);
  }

  private setTimer(delayMs: number): HeapTimer {
    const { owner } = this;
    return owner.kernel.timers.set(delayMs, () => owner.kernel.enqueue(owner, { kind: 'silence', source: owner, group: this }));
  }

  private finish(source: Source): void {
    this.owner.behaviour.receive(this.owner, source, { type: `${this.as}.done`, failed: this.failed });
  }
}
