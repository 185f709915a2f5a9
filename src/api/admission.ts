/**
 * Admission: how many requests may be under way at once, counted apart for shapes that exist and for requests that
 * may make one, so that a flood of new shapes cannot shut out the readers of old ones.
 *
 * A permit is released exactly once, whatever becomes of its request; releasing again changes nothing.
 */
import { invariant } from '../base/invariant.ts';
import type { Random } from '../base/random.ts';
import { overloaded, type Refusal } from './refusal.ts';

export type AdmissionClass = 'initial' | 'existing';

export type AdmissionLimits = Readonly<Record<AdmissionClass, number>>;

export interface Permit {
  /** The shape has started: from now on the request counts among the readers of existing shapes, also beyond their limit. */
  promote(): void;
  release(): void;
}

export class Admission {
  private readonly inUse: Record<AdmissionClass, number> = { initial: 0, existing: 0 };
  private readonly refused: Record<AdmissionClass, number> = { initial: 0, existing: 0 };

  constructor(
    private readonly limits: AdmissionLimits,
    private readonly random: Random,
  ) {}

  /** How many permits of a class are held. */
  held(admissionClass: AdmissionClass): number {
    return this.inUse[admissionClass];
  }

  /** How many requests of a class were refused so far. */
  refusals(admissionClass: AdmissionClass): number {
    return this.refused[admissionClass];
  }

  acquire(admissionClass: AdmissionClass): Permit | Refusal {
    const limit = this.limits[admissionClass];
    if (this.inUse[admissionClass] >= limit) {
      this.refused[admissionClass] += 1;
      return overloaded(admissionClass, limit, this.random);
    }
    this.inUse[admissionClass] += 1;
    return new HeldPermit(this.inUse, admissionClass);
  }
}

class HeldPermit implements Permit {
  constructor(
    private readonly inUse: Record<AdmissionClass, number>,
    private held: AdmissionClass | undefined,
  ) {}

  promote(): void {
    this.move('existing');
  }

  release(): void {
    this.move(undefined);
  }

  private move(to: AdmissionClass | undefined): void {
    if (this.held === undefined) return;
    invariant(this.inUse[this.held] > 0, 'a held permit is counted');
    this.inUse[this.held] -= 1;
    if (to !== undefined) this.inUse[to] += 1;
    this.held = to;
  }
}
