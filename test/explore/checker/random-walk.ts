/** Random walk: one way through a system, chosen by a seed, with the state after each step. */
import type { Random } from '../../../src/base/random.ts';
import { Draft } from './draft.ts';
import { Evaluator } from './evaluator.ts';
import type { GlobalState } from './global-state.ts';
import { make, movesOf, opened } from './moves.ts';
import type { Note } from './note.ts';
import type { System, World } from './system.ts';

export interface WalkStep<Kind extends World<Kind>> {
  /** What came, and what the process then did inside itself. */
  readonly notes: readonly Note[];
  readonly after: GlobalState<Kind>;
}

/** Ends where nothing can happen any more. The first step leads to where the search begins. */
export function* randomWalk<Kind extends World<Kind>>(system: System<Kind>, random: Random): Iterable<WalkStep<Kind>> {
  const parts = new Evaluator<Kind>();
  let draft = opened(system, parts);
  yield { notes: draft.told, after: draft };
  for (let moves = movesOf(system, draft); moves.length > 0; moves = movesOf(system, draft)) {
    const move = moves[random.below(moves.length)];
    draft = new Draft(system, parts, draft.state);
    if (move !== undefined) make(system, draft, move);
    yield { notes: draft.told, after: draft };
  }
}
