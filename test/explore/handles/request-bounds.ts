/** RequestBounds: what the words of a command line mean for a world of handles. */
import type { Bounds } from '../checker/system.ts';
import { FATES, type Fate, type HandleBounds } from './handle-system.ts';
import type { Name } from '../../../src/otp/process.ts';
import type { ShapeName } from './handle-setting.ts';

export interface RequestWords {
  readonly live: string;
  readonly asks: string;
  readonly fates: string;
  readonly late: string;
  readonly victims: string;
}

/**
 * @param asks `inner` or `outer` for each request, parted by commas.
 * @param fates each as often as it may happen.
 * @param late ports that take a step of their own.
 * @throws {RangeError} a word is none of these.
 */
export function requestBounds({ live, asks, fates, late, victims }: RequestWords): Omit<HandleBounds, keyof Bounds> {
  const counts: Partial<Record<Fate, number>> = {};
  for (const fate of wordsOf(fates, FATES)) counts[fate] = (counts[fate] ?? 0) + 1;
  return {
    live: wordsOf(live, SHAPES),
    asks: wordsOf(asks, SHAPES),
    fates: counts,
    late: wordsOf(late, PORTS),
    victims: victims === 'requests' ? victims : 'shapes',
  };
}

const SHAPES: readonly ShapeName[] = ['inner', 'outer'];
const PORTS: readonly Name[] = ['@consumers', '@publication', '@snapshots'];

function wordsOf<Word extends string>(text: string, known: readonly Word[]): readonly Word[] {
  return text.split(',').filter((word) => word !== '').map((word) => {
    const found = known.find((each) => each === word);
    if (found === undefined) throw new RangeError(`${word} is none of ${known.join(', ')}`);
    return found;
  });
}
