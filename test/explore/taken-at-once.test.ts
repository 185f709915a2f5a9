/** What is taken at once leaves out states in which it is under way, and nothing that a process can come to or that is wrong. */
import { expect, test } from 'vitest';
import { localKey } from './checker/local-process.ts';
import { search, type Orders } from './checker/search.ts';
import { handOverControls } from './controls/hand-over-controls.ts';
import { handOverSystem, type HandOverBounds } from './hand-over/hand-over-system.ts';

const STATES_MAX = 300_000;
const CALM: HandOverBounds = { transactions: 0, kills: 0, timeouts: 0, restarts: 0 };

test.each<[string, Partial<HandOverBounds>]>([
  ['two commits', { transactions: 2 }],
  ['somebody is killed', { transactions: 1, kills: 1 }],
  ['a Consumer drains and returns', { transactions: 1, restarts: 1 }],
  ['a Consumer drains and returns, and somebody is killed', { kills: 1, restarts: 1 }],
])('a hand-over comes to the same local states, and to rest in the same ways: %s', async (_, bounds) => {
  const [prompt, one] = [await comingsOf({ ...CALM, ...bounds }, 'prompt'), await comingsOf({ ...CALM, ...bounds }, 'one')];

  expect({ ...prompt, isSmaller: prompt.states < one.states, states: 0 }).toEqual({ ...one, isSmaller: true, states: 0 });
});

test.each(handOverControls.map((control) => [control.name, control] as const))(
  'a control in which %s breaks the same property',
  async (_, { bounds, breaks, make }) => {
    const { counterexample } = search(await make(bounds), STATES_MAX, 'prompt');

    expect(counterexample?.property).toBe(breaks);
  },
);

/**
 * Who is dead is only counted, and what was asked from outside is not: where one was killed who had nothing to do any more, or asked
 * in vain to drain, a system has come to rest in which that did not happen, and may happen yet.
 */
async function comingsOf(bounds: HandOverBounds, orders: Orders) {
  const system = await handOverSystem(bounds);
  const atRest = new Set<string>();
  const { states, parts, counterexample, isExhausted } = search(
    {
      ...system,
      violation(view, isQuiet) {
        const locals = system.roles.map(({ name }) => view.process(name));
        const living = locals.map((local) => (local.status === 'alive' ? localKey(local) : local.status));
        if (isQuiet) atRest.add(JSON.stringify([view.world.key(), ...living]));
        return system.violation(view, isQuiet);
      },
    },
    STATES_MAX,
    orders,
  );
  return { states, locals: parts['locals'], atRest: [...atRest].sort(), counterexample, isExhausted };
}
