/** What is done at once, and who is killed late, leaves out states, and nothing that a process can come to or that is wrong. */
import { expect, test } from 'vitest';
import { search } from './checker/search.ts';
import { comingsOf } from './comings.ts';
import { handOverControls } from './controls/hand-over-controls.ts';
import { handOverSystem, type HandOverBounds } from './hand-over/hand-over-system.ts';

const STATES_MAX = 300_000;
const CALM: HandOverBounds = { transactions: 0, kills: 0, timeouts: 0, restarts: 0 };

test.each<[string, Partial<HandOverBounds>]>([
  ['two commits', { transactions: 2 }],
  ['somebody is killed', { transactions: 1, kills: 1 }],
  ['a Consumer drains and returns', { transactions: 1, restarts: 1 }],
  ['a Consumer drains and returns, and somebody is killed', { kills: 1, restarts: 1 }],
  ['a Consumer drains and returns, and its Snapshotter is killed', { transactions: 1, kills: 1, restarts: 1, victims: ['snapshotter'] }],
])('a hand-over comes to the same local states, and to rest in the same ways: %s', async (_, bounds) => {
  const system = await handOverSystem({ ...CALM, ...bounds });

  const [{ living: _few, ...prompt }, { living: _all, ...one }] = [comingsOf(system, 'prompt'), comingsOf(system, 'one')];

  expect({ ...prompt, isSmaller: prompt.states < one.states, states: 0 }).toEqual({ ...one, isSmaller: true, states: 0 });
});

test.each(handOverControls.map((control) => [control.name, control] as const))(
  'a control in which %s breaks the same property',
  async (_, { bounds, breaks, make }) => {
    const { counterexample } = search(await make(bounds), STATES_MAX, 'prompt');

    expect(counterexample?.property).toBe(breaks);
  },
);
