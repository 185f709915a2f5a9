/**
 * BodyIntake: the bodies that are on their way, and those whose requests are not over yet.
 *
 * How large a body is and how fast it comes is a stranger's choice. So each has a time to arrive in, and all together
 * have a number and a size. When there is one too many, the newcomer stays and another body ends: the oldest of those on
 * their way, since an honest sender is done in moments, or the largest of those that take room. So half-sent bodies shut
 * nobody out, however many there are.
 */
import type { Clock } from '../../base/clock.ts';
import { BodyArrival, type ArrivalLimits, type BodyOutcome } from './body-arrival.ts';
import { tooManyBodies } from './body-refusal.ts';
import type { Exchange } from '../exchange.ts';

export interface BodyLimits extends ArrivalLimits {
  /** How many may be on their way at once. */
  readonly arrivingMax: number;
  /** Of all bodies whose requests are not over. */
  readonly totalBytesMax: number;
}

export const BODY_LIMITS: BodyLimits = {
  bytesMax: 8_000_000,
  arrivalMsMax: 30_000,
  stallMsMax: 10_000,
  arrivingMax: 1_000,
  totalBytesMax: 64_000_000,
};

interface HeldBody {
  bytes: number;
  /** Ends what takes the room: the arrival, later the request. */
  giveWay(): void;
}

export class BodyIntake {
  private readonly held = new Set<HeldBody>();
  /** In the order in which they came. */
  private readonly arriving = new Set<HeldBody>();
  private totalBytes = 0;

  constructor(
    private readonly clock: Clock,
    private readonly limits: BodyLimits,
  ) {}

  /** Resolves when the body is there, or when it is certain that it will not be. */
  async receive(exchange: Exchange): Promise<BodyOutcome> {
    const arrival = new BodyArrival(exchange.request, this.clock, this.limits, (size) => this.grow(body, size));
    const body: HeldBody = { bytes: 0, giveWay: () => arrival.giveUp(tooManyBodies()) };
    this.enter(body);
    exchange.whenOver({
      release: () => {
        this.release(body);
        arrival.abandon(); // Else what still comes would be counted, and never be given back.
      },
    });
    const outcome = await arrival.outcome;
    this.arriving.delete(body);
    // A body counts until its request is over, also while that request waits.
    body.giveWay = () => exchange.interrupt('its body is in the way');
    return outcome;
  }

  /** Of the bodies whose requests are not over. */
  get heldBytes(): number {
    return this.totalBytes;
  }

  private enter(body: HeldBody): void {
    this.held.add(body);
    this.arriving.add(body);
    const [oldest] = this.arriving;
    if (this.arriving.size > this.limits.arrivingMax && oldest !== undefined) this.sendAway(oldest);
  }

  private grow(body: HeldBody, size: number): void {
    body.bytes += size;
    this.totalBytes += size;
    while (this.totalBytes > this.limits.totalBytesMax) {
      this.sendAway([...this.held].reduce((largest, other) => (other.bytes > largest.bytes ? other : largest)));
    }
  }

  private sendAway(body: HeldBody): void {
    this.release(body);
    body.giveWay();
  }

  private release(body: HeldBody): void {
    if (this.held.delete(body)) this.totalBytes -= body.bytes;
  }
}
