/**
 * BodyArrival: one request's body, from its first byte until it is there or given up. It is given up when it is too
 * large, takes too long, stands still, or its owner says so. The rest is then read and dropped: a client sees no answer
 * while it is still sending.
 */
import type { Clock, TimerId } from '../../base/clock.ts';
import { bodyRefusal, bodyTooSlow, type BodyRefusal } from './body-refusal.ts';
import type { HttpRequest } from '../peer.ts';

export interface ArrivalLimits {
  readonly bytesMax: number;
  /** From the request's headers to the last byte. */
  readonly arrivalMsMax: number;
  /** Between two pieces. */
  readonly stallMsMax: number;
}

/** Undefined when the client has gone: there is nobody to answer. */
export type BodyOutcome = { readonly bytes: Buffer } | BodyRefusal | undefined;

export class BodyArrival {
  readonly outcome: Promise<BodyOutcome>;
  private settle: (outcome: BodyOutcome) => void = () => {};
  private readonly pieces: Buffer[] = [];
  private size = 0;
  private readonly deadline: TimerId;
  private stall: TimerId;

  /** @param grown told the size of each piece that came. */
  constructor(
    private readonly request: HttpRequest,
    private readonly clock: Clock,
    private readonly limits: ArrivalLimits,
    private readonly grown: (size: number) => void,
  ) {
    this.outcome = new Promise((resolve) => {
      this.settle = resolve;
    });
    // First, since it throws for a body that somebody else has taken: then no timer is left. Nothing comes before this turn is over.
    request.on('data', this.take).on('end', this.finish).on('error', this.lose).on('close', this.lose);
    this.deadline = clock.setTimer(this.cut, limits.arrivalMsMax);
    this.stall = clock.setTimer(this.cut, limits.stallMsMax);
  }

  giveUp(refusal: BodyRefusal): void {
    this.end(refusal);
  }

  /** There is nobody left to answer. */
  abandon(): void {
    this.end(undefined);
  }

  private readonly take = (piece: Buffer): void => {
    this.clock.clearTimer(this.stall);
    this.stall = this.clock.setTimer(this.cut, this.limits.stallMsMax);
    this.size += piece.length;
    this.pieces.push(piece);
    if (this.size > this.limits.bytesMax) this.end(bodyRefusal(413, { error: 'Request body too large' }));
    else this.grown(piece.length);
  };

  private readonly finish = (): void => this.end({ bytes: Buffer.concat(this.pieces, this.size) });
  private readonly lose = (): void => this.end(undefined);
  private readonly cut = (): void => this.end(bodyTooSlow());

  private end(outcome: BodyOutcome): void {
    this.clock.clearTimer(this.deadline);
    this.clock.clearTimer(this.stall);
    this.request.off('data', this.take).off('end', this.finish).off('error', this.lose).off('close', this.lose);
    this.settle(outcome);
  }
}
