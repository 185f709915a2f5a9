/**
 * WaitingPoll: a long-poll at the end of its log, that asks for it in words which were read before. It is all that the api holds for it:
 * where it stands, what it has in common with many, and who takes the answer. Mostly the log has something for it when it is
 * woken, and then its answer is there at once, the same as for all others; else it goes on as any poll does.
 */
import type { NowOrLater } from '../base/now-or-later.ts';
import type { StopSignal } from '../base/stop-signal.ts';
import type { Handle } from '../model/shape.ts';
import type { LogOffset } from '../model/log-offset.ts';
import type { ApiContext } from './api-context.ts';
import type { ShapeTarget } from './definition-cache.ts';
import { DRAINING } from './draining.ts';
import { liveAnswer } from './log-answer.ts';
import { pollOn, pollRead } from './log-reading.ts';
import type { PollRead } from './log-read.ts';
import { Parked } from './parking/parked.ts';
import type { Wake } from './parking/wake.ts';
import type { ReadParameters } from './shape-parameters.ts';
import { ABANDONED, isInMemory, type ShapeResponse } from './shape-response.ts';
import { unlessAbandoned } from './unless-abandoned.ts';

/** The offset is that at which the log has nothing. */
export interface PollParameters extends ReadParameters {
  readonly offset: LogOffset;
}

type Take = (answer: NowOrLater<ShapeResponse>) => void;

export class WaitingPoll extends Parked<PollRead> {
  /** Who takes the answer; or the answer, where it is there before him. */
  private taking: Take | { readonly answer: NowOrLater<ShapeResponse> } | undefined;

  constructor(
    private readonly context: ApiContext,
    private readonly parameters: PollParameters,
    private readonly target: ShapeTarget,
    private readonly handle: Handle,
    signal: StopSignal,
  ) {
    super(context.clock.nowMs() + context.settings.longPollTimeoutMs, signal);
  }

  /** @param take given the answer, once: now, where it is there already. A gate that takes a moment may bring it about. */
  whenAnswered(take: Take): void {
    if (typeof this.taking === 'object') take(this.taking.answer);
    else this.taking = take;
  }

  protected override woken(wake: Wake<PollRead>): void {
    const answer = this.answerTo(wake);
    if (typeof this.taking === 'function') this.taking(answer);
    else this.taking = { answer };
  }

  private answerTo(wake: Wake<PollRead>): NowOrLater<ShapeResponse> {
    if (this.signal.aborted && this.signal.reason !== DRAINING) return ABANDONED; // Perhaps while others had their turn.
    try {
      return (wake.cause === 'appended' ? this.answerAtOnce(wake) : undefined) ?? this.answerLater(wake);
    } catch (error) {
      return failed(error);
    }
  }

  /** @returns undefined when there is nothing for it after all, or what is read piece by piece. */
  private answerAtOnce(wake: Wake<PollRead>): ShapeResponse | undefined {
    const { context, handle, parameters } = this;
    const log = context.ports.logs.get(handle);
    const read = log && pollRead(context, log, parameters.offset, wake);
    if (read?.hasData !== true || !isInMemory(read.body)) return undefined;
    const { offset: requested, cursor } = parameters;
    return liveAnswer({ context, handle, requested, live: true, cursor, ifNoneMatch: undefined }, read);
  }

  private answerLater(wake: Wake<PollRead>): Promise<ShapeResponse> {
    const { context, parameters, target, handle, signal, dueMs } = this;
    const reading = { context, request: { ifNoneMatch: undefined, signal }, parameters, target, subset: undefined, handle };
    return unlessAbandoned(pollOn(reading, parameters.offset, { wake, deadlineMs: dueMs }), signal);
  }
}

async function failed(error: unknown): Promise<never> {
  throw error;
}
