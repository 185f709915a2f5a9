/**
 * LimitUse: how much of the limits is used, by the last look of expiry, and what they have ended or refused last. What is told of it costs
 * no walk over the shapes, however often somebody asks.
 */
import type { Limits, LimitsLook } from '../../actors/expiry/shape-limits.ts';
import type { LimitEvents, LimitsStanding } from '../../api/ports.ts';
import type { Clock } from '../../base/clock.ts';

const NEVER: LimitEvents = { count: 0 };

export class LimitUse {
  private last: LimitsLook | undefined;
  private ended = NEVER;
  private refused = NEVER;

  constructor(
    private readonly limits: Limits,
    private readonly clock: Pick<Clock, 'epochMicros'>,
  ) {}

  get standing(): LimitsStanding {
    const { shapesMax, bytesMax, unreadMsMax } = this.limits;
    return {
      shapes: { ...used(this.last?.shapes), ...limit(shapesMax) },
      bytes: { ...used(this.last?.bytes), ...limit(bytesMax) },
      ...(unreadMsMax === undefined ? {} : { unreadSeconds: { limit: unreadMsMax / 1000 } }),
      ended: this.ended,
      refused: this.refused,
    };
  }

  noteLook(look: LimitsLook): void {
    this.last = look;
    if (look.taken !== undefined) this.ended = { ...this.after(this.ended, look.taken.count), lastWhy: look.taken.why };
  }

  /** A new shape found no room. */
  noteRefused(): void {
    this.refused = { ...this.after(this.refused, 1), lastWhy: `the shapes have reached ${this.limits.bytesMax} bytes` };
  }

  private after({ count }: LimitEvents, more: number): LimitEvents {
    return { count: count + more, lastAt: new Date(this.clock.epochMicros() / 1000).toISOString() };
  }
}

/** Not known before the first look. */
function used(value: number | undefined): { readonly used?: number } {
  return value === undefined ? {} : { used: value };
}

function limit(value: number | undefined): { readonly limit?: number } {
  return value === undefined ? {} : { limit: value };
}
