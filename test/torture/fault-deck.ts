/** Deals the kinds of faults so that each comes as often as any other: shuffled, and anew when all have come. */
import type { Random } from '../../src/base/random.ts';
import type { Fault } from './fault.ts';

export class FaultDeck {
  private left: Fault[] = [];

  constructor(private readonly faults: readonly Fault[], private readonly random: Random) {}

  deal(): Fault {
    if (this.left.length === 0) this.left = [...this.faults];
    const [fault] = this.left.splice(this.random.below(this.left.length), 1);
    if (fault === undefined) throw new Error('a deck without a fault');
    return fault;
  }
}
