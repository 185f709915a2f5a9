/** Replay: the turns of a way through a system, taken on the production runtime or in the search, and what was wrong then. */
import { invariant } from '../../../src/base/invariant.ts';
import { Draft } from '../checker/draft.ts';
import { Evaluator } from '../checker/evaluator.ts';
import { isUnderWay, make, movesOf, opened } from '../checker/moves.ts';
import { turnsOf, type Turn } from '../checker/note.ts';
import type { System, Violation, World } from '../checker/system.ts';
import { SystemStage } from './system-stage.ts';

/** What comes behind the turns before all is quiet, at the most. */
const DELIVERIES_MAX = 1_000;

export interface Replayed {
  /** The first. */
  readonly violation: Violation | undefined;
  /** Turns before it. */
  readonly taken: number;
  /** Those that did not apply. */
  readonly missed: readonly Turn[];
}

/**
 * On the runtime. Where no turn has shown anything wrong, all that is still under way is delivered behind them, in the order of
 * sending.
 */
export async function replay<Kind extends World<Kind>>(system: System<Kind>, turns: readonly Turn[]): Promise<Replayed> {
  const stage = await SystemStage.open(system);
  const missed: Turn[] = [];
  for (const [index, turn] of turns.entries()) {
    if (!(await stage.take(turn))) missed.push(turn);
    if (stage.violation !== undefined) return { violation: stage.violation, taken: index + 1 - missed.length, missed };
  }
  const taken = turns.length - missed.length;
  for (let count = 0; count < DELIVERIES_MAX; count += 1) {
    if (!(await stage.goOn())) return { violation: undefined, taken, missed };
    if (stage.violation !== undefined) return { violation: stage.violation, taken, missed };
  }
  throw new RangeError(`the system does not come to rest within ${DELIVERIES_MAX} deliveries`);
}

/** In the search: a way that is no way of the system ends where it cannot be followed. */
export function retrace<Kind extends World<Kind>>(system: System<Kind>, turns: readonly Turn[]): Replayed {
  const parts = new Evaluator<Kind>();
  let draft = opened(system, parts);
  let taken = 0;
  for (;;) {
    const moves = movesOf(system, draft);
    const violation = system.violation(draft, !moves.some(isUnderWay));
    if (violation !== undefined || taken === turns.length) return { violation, taken, missed: turns.slice(taken) };
    const next = moves.flatMap((move) => {
      const behind = new Draft(system, parts, draft.state);
      make(system, behind, move);
      const told = turnsOf(behind.told);
      return JSON.stringify(turns.slice(taken, taken + told.length)) === JSON.stringify(told) ? [behind] : [];
    });
    const [behind] = next;
    if (behind === undefined) return { violation, taken, missed: turns.slice(taken) };
    invariant(next.length === 1, 'a turn tells one move from all others');
    draft = behind;
    taken += turnsOf(behind.told).length;
  }
}
