/** Random walk: one way through a system, chosen by a seed, with the state after each step. */
import type { Random } from '../../../src/base/random.ts';
import { Draft, type Note } from './draft.ts';
import { Evaluator } from './evaluator.ts';
import { make, movesOf, opened } from './moves.ts';
import type { System, View, World } from './system.ts';

export interface WalkStep<Kind> {
  /** What came, and what the process then did inside itself. */
  readonly notes: readonly Note[];
  readonly after: View<Kind>;
}

/** Ends where nothing can happen any more. */
export function* randomWalk<Kind extends World<Kind>>(system: System<Kind>, random: Random): Iterable<WalkStep<Kind>> {
  const parts = new Evaluator<Kind>();
  let draft = opened(system, parts);
  for (let moves = movesOf(system, draft); moves.length > 0; moves = movesOf(system, draft)) {
    const move = moves[random.below(moves.length)];
    draft = new Draft(system, parts, draft.state);
    if (move !== undefined) make(system, draft, move);
    yield { notes: draft.told, after: draft };
  }
}
