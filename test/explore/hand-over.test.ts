/** Every interleaving of a hand-over within small bounds; `npm run explore` goes further. */
import { expect, test } from 'vitest';
import { VICTIMS_BY_SEARCH } from './bounds.ts';
import { search } from './checker/search.ts';
import { comingsOf } from './comings.ts';
import { handOverSystem, type HandOverBounds } from './hand-over/hand-over-system.ts';

const STATES_MAX = 1_000_000;
const CALM: HandOverBounds = { transactions: 1, kills: 0, timeouts: 0, restarts: 0 };
const ONE_DEATH: HandOverBounds = { ...CALM, kills: 1 };
const ASLEEP: HandOverBounds = { ...CALM, timeouts: 1, rests: true };
const RETURN: HandOverBounds = { ...ONE_DEATH, restarts: 1 };

test.each([
  ['two transactions', { ...CALM, transactions: 2 }],
  ['a transaction, and whoever is killed at any step', ONE_DEATH],
])('%s: each change once, and nobody that hangs or crashes', async (_, bounds) => {
  const { counterexample, isExhausted } = search(await handOverSystem(bounds), STATES_MAX, 'prompt');

  expect({ counterexample, isExhausted }).toEqual({ counterexample: undefined, isExhausted: true });
});

test.each([
  ['at any step', ASLEEP],
  ['while whoever serves it is killed', { ...ASLEEP, kills: 1, victims: ['consumer'] } as const],
])('a shape falls asleep %s, and lacks nothing', async (_, bounds) => {
  const { counterexample, isExhausted } = search(await handOverSystem(bounds), STATES_MAX);

  expect({ counterexample, isExhausted }).toEqual({ counterexample: undefined, isExhausted: true });
});

test('a Consumer that is drained at any step returns, whoever dies, and hears nothing that was under way to the last one', async () => {
  const { counterexample, isExhausted } = search(await handOverSystem(RETURN), STATES_MAX, 'prompt');

  expect({ counterexample, isExhausted }).toEqual({ counterexample: undefined, isExhausted: true });
});

test('searches in each of which some may be killed come to all that is come to where everybody may be', async () => {
  const whole = comingsOf(await handOverSystem({ ...RETURN, transactions: 0 }), 'prompt');
  const parts = await Promise.all(VICTIMS_BY_SEARCH.map((victims) => handOverSystem({ ...RETURN, transactions: 0, victims })));
  const comings = parts.map((part) => comingsOf(part, 'prompt'));

  const [living, atRest] = [union(comings.map((each) => each.living)), union(comings.map((each) => each.atRest))];

  expect({ living, atRest }).toEqual({ living: whole.living, atRest: whole.atRest });
});

function union(texts: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(texts.flat())].sort();
}
