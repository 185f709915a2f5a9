/**
 * Taken lines: which lines of a chart a transition went along. What is seen of a transition is its event, where it began and
 * where it came to rest; between the two it may have gone through states that nothing waits in (`always`).
 */
import { activeStates } from './active-states.ts';
import type { PlacedLine } from './placed-chart.ts';

/** States as lines of text. */
export interface Taken {
  readonly event: string;
  /** Null for the first. */
  readonly from: string | null;
  readonly to: string;
}

type Line = Pick<PlacedLine, 'from' | 'to' | 'events'>;

/** @returns those of `lines` that lead from the one to the other, the shortest way; none where the way is told in words. */
export function takenLines<L extends Line>(lines: readonly L[], { event, from, to }: Taken): readonly L[] {
  const before = from === null ? [] : activeStates(from);
  const after = activeStates(to);
  const begins = lines.filter((line) => line.events.includes(event) && (line.from === '' || before.includes(line.from)));
  const ways = begins.map((begin) => wayTo(after, [begin], lines)).filter((way) => way.length > 0);
  return ways.reduce<readonly L[]>((best, way) => (best.length === 0 || way.length < best.length ? way : best), []);
}

/** Each line is gone along once at the most: what is behind one has been looked at. */
function wayTo<L extends Line>(ends: readonly string[], begin: readonly L[], lines: readonly L[]): readonly L[] {
  const seen = new Set<L>(begin);
  const ways = [begin];
  for (const way of ways) {
    const last = way.at(-1);
    if (last === undefined || ends.includes(last.to)) return way;
    for (const line of lines) {
      if (seen.has(line) || line.from !== last.to || !line.events.includes('always')) continue;
      seen.add(line);
      ways.push([...way, line]);
    }
  }
  return [];
}
