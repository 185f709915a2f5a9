/** Every interleaving of a splice within small bounds; `npm run explore -- --system b` goes further. */
import { expect, test } from 'vitest';
import { search } from './checker/search.ts';
import type { ScriptName } from './splices/splice-scripts.ts';
import { spliceSystem, type SpliceBounds } from './splices/splice-system.ts';

const STATES_MAX = 300_000;
const CALM = { transactions: 2, moveOuts: 'events', kills: 0, timeouts: 0, restarts: 0, crashes: 0 } as const;

test.each<[string, ScriptName, Partial<SpliceBounds>]>([
  ['a value comes, and a child of it before or after', 'comes', {}],
  ['a parent and its child come in one transaction', 'both', { transactions: 1, kills: 1 }],
  ['a shape drains and returns, and somebody is killed', 'both', { transactions: 0, kills: 1, restarts: 1 }],
  ['the power goes', 'both', { transactions: 1, crashes: 1 }],
  ['a value goes, and the rows are told as deletes', 'goes', { transactions: 1, moveOuts: 'deletes' }],
  ['NULL comes, and a child of any value before or after it', 'nullComes', {}],
  ['NULL goes, and the query does not see a child that was written', 'nullGoes', {}],
  ['NULL takes the place of a value, somebody is killed', 'nullPasses', { transactions: 1, kills: 1 }],
  ['the last value goes, and another comes', 'empties', { isShownAtOnce: true, moveOuts: 'deletes' }],
  ['a value comes, and of two who look it up one is slow', 'both', { cast: 'slow', transactions: 1, crashes: 1, isShownAtOnce: true }],
  ['a value comes to two layers, whenever Postgres shows it', 'both', { cast: 'layers', transactions: 1 }],
  ['values move at three depths in one transaction', 'deep', { cast: 'layers', transactions: 1, isShownAtOnce: true }],
  ['a child stays whose parent and grandparent cross', 'crosses', { cast: 'layers', transactions: 1, isShownAtOnce: true }],
  ['a value goes from two layers, and the power goes', 'goes', { cast: 'layers', transactions: 1, crashes: 1, isShownAtOnce: true }],
  ['one of two layers drains and returns', 'both', { cast: 'layers', transactions: 0, restarts: 1 }],
  ['one of two layers is killed', 'both', { cast: 'layers', transactions: 0, kills: 1 }],
  ['the power went behind a value that came to two layers, and more comes that looks for it', 'follows', {
    cast: 'layers', transactions: 3, powerWent: 2, isShownAtOnce: true,
  }],
  ['the power went before a value comes', 'written', { powerWent: 1, isShownAtOnce: true }],
  ['the power went behind a splice without a line, and the shape drains and returns', 'lacks', {
    moveOuts: 'deletes', powerWent: 2, restarts: 1, drains: 'outer',
  }],
  ['a value comes and goes of which either half of a filter is true', 'stays', { isShownAtOnce: true }],
])('%s: the log folds to what SELECT gives, and nobody hangs or crashes', async (_, script, changes) => {
  const { counterexample, isExhausted } = search(await spliceSystem({ ...CALM, script, ...changes }), STATES_MAX);

  expect({ counterexample, isExhausted }).toEqual({ counterexample: undefined, isExhausted: true });
});
