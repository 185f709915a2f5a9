/** Every interleaving of a hand-over within small bounds; `npm run explore` goes further. */
import { expect, test } from 'vitest';
import { search } from './checker/search.ts';
import { handOverControls } from './controls/hand-over-controls.ts';
import { handOverSystem, type HandOverBounds } from './hand-over/hand-over-system.ts';

const STATES_MAX = 1_000_000;
const CALM: HandOverBounds = { transactions: 1, kills: 0, timeouts: 0, restarts: 0 };
const ONE_DEATH: HandOverBounds = { ...CALM, kills: 1 };
const RETURN: HandOverBounds = { ...ONE_DEATH, restarts: 1 };

test('two transactions, and whoever is killed at any step: each change once, and nobody that hangs or crashes', async () => {
  const { counterexample, isExhausted } = search(await handOverSystem({ ...ONE_DEATH, transactions: 2 }), STATES_MAX, 'prompt');

  expect({ counterexample, isExhausted }).toEqual({ counterexample: undefined, isExhausted: true });
});

test('a Consumer that is drained at any step returns, whoever dies, and hears nothing that was under way to the last one', async () => {
  const { counterexample, isExhausted } = search(await handOverSystem(RETURN), STATES_MAX, 'prompt');

  expect({ counterexample, isExhausted }).toEqual({ counterexample: undefined, isExhausted: true });
});

test.each(handOverControls.map((control) => [control.name, control] as const))(
  'a control in which %s is found, by the property that it breaks',
  async (_, { bounds, breaks, make }) => {
    const { counterexample } = search(await make(bounds), STATES_MAX);

    expect(counterexample?.property).toBe(breaks);
  },
);
