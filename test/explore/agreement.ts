/** Agreement: a random walk of the checker, taken by the production runtime too, and the first state in which the two differ. */
import { seededRandom } from '../../src/base/random.ts';
import type { GlobalState } from './checker/global-state.ts';
import { turnsOf, type Turn } from './checker/note.ts';
import { randomWalk } from './checker/random-walk.ts';
import type { System, World } from './checker/system.ts';
import { checkedState, runningState } from './replay/canonical-state.ts';
import { SystemStage } from './replay/system-stage.ts';

/** Both are open when the walk begins. */
export interface Sides<Kind extends World<Kind>> {
  readonly take: (turn: Turn) => Promise<boolean>;
  readonly checked: (state: GlobalState<Kind>) => object;
  readonly run: () => object;
}

/** The same seed gives the same walk. */
export async function firstDifference<Kind extends World<Kind>>(
  system: System<Kind>,
  seed: number,
  sides: Sides<Kind>,
): Promise<object | undefined> {
  let count = 0;
  for (const { notes, after } of randomWalk(system, seededRandom(seed))) {
    const missed: Turn[] = [];
    for (const turn of count === 0 ? [] : turnsOf(notes)) if (!(await sides.take(turn))) missed.push(turn);
    const [checked, ran] = [sides.checked(after), sides.run()];
    if (missed.length > 0 || JSON.stringify(checked) !== JSON.stringify(ran)) return { count, notes, missed, checked, ran };
    count += 1;
  }
  return undefined;
}

/** @returns undefined when the two are the same all along. */
export async function differenceOn<Kind extends World<Kind>>(
  checked: System<Kind>,
  run: System<Kind>,
  seed: number,
): Promise<object | undefined> {
  const stage = await SystemStage.open(run);
  return firstDifference(checked, seed, {
    take: (turn) => stage.take(turn),
    checked: (state) => checkedState(checked, state),
    run: () => runningState(run, stage),
  });
}
