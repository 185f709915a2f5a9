/** Comings: what the processes of a system come to in a search, so that two searches can be compared that see different states. */
import { localKey } from './checker/local-process.ts';
import { search, type Findings, type Orders } from './checker/search.ts';
import type { System, World } from './checker/system.ts';
import { writtenOnce } from './written-once.ts';

const STATES_MAX = 300_000;

export interface Comings extends Pick<Findings, 'states' | 'counterexample' | 'isExhausted'> {
  /** How many local states there were, also in the midst of a step. */
  readonly locals: number | undefined;
  /** Those of each process that lives, as a text; sorted. */
  readonly living: readonly string[];
  /** Those that were together where nothing was under way, each with its world. */
  readonly atRest: readonly string[];
}

/**
 * Who is dead is only counted, and what was asked from outside is not: where one was killed who had nothing to do any more, or asked
 * in vain to drain, a system has come to rest in which that did not happen, and may happen yet.
 *
 * @param textOf what of a world is compared.
 */
export function comingsOf<Kind extends World<Kind>>(
  system: System<Kind>,
  orders: Orders,
  textOf: (world: Kind) => string = (world) => world.key(),
): Comings {
  const [living, atRest] = [new Set<string>(), new Set<string>()];
  const [localText, worldText] = [writtenOnce(localKey), writtenOnce(textOf)];
  const { states, parts, counterexample, isExhausted } = search<Kind>(
    {
      ...system,
      violation(view, isQuiet) {
        const locals = system.roles.map(({ name }) => view.process(name));
        const texts = locals.map((local) => (local.status === 'alive' ? localText(local) : local.status));
        for (const text of texts) living.add(text);
        if (isQuiet) atRest.add(JSON.stringify([worldText(view.world), ...texts]));
        return system.violation(view, isQuiet);
      },
    },
    STATES_MAX,
    orders,
  );
  return { states, counterexample, isExhausted, locals: parts['locals'], living: [...living].sort(), atRest: [...atRest].sort() };
}
