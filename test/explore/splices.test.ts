/** Every interleaving of a splice within small bounds; `npm run explore -- --system b` goes further. */
import { expect, test } from 'vitest';
import { search } from './checker/search.ts';
import { deafWhileLive, earlyAnswer, uncovered, unsynced } from './controls/splice-machines.ts';
import { drainThatDeletes } from './controls/hand-over-machines.ts';
import { withCutByPosition, withEveryMove, withForgottenVersions, withNarrowIndex, withOldSnapshots } from './controls/splice-worlds.ts';
import { PROPERTIES } from './splices/splice-properties.ts';
import type { ScriptName } from './splices/splice-scripts.ts';
import { spliceSystem, type SpliceBounds } from './splices/splice-system.ts';

const STATES_MAX = 300_000;
const CALM = { transactions: 2, moveOuts: 'events', kills: 0, timeouts: 0, restarts: 0, crashes: 0 } as const;

test.each<[string, ScriptName, Partial<SpliceBounds>]>([
  ['a value comes, and a child of it before or after', 'comes', {}],
  ['a parent and its child come in one transaction', 'both', { transactions: 1, kills: 1 }],
  ['the power goes', 'both', { transactions: 1, crashes: 1 }],
  ['a value goes, and the rows are told as deletes', 'goes', { transactions: 1, moveOuts: 'deletes' }],
])('%s: the log folds to what SELECT gives, and nobody hangs or crashes', async (_, script, changes) => {
  const { counterexample, isExhausted } = search(await spliceSystem({ ...CALM, script, ...changes }), STATES_MAX);

  expect({ counterexample, isExhausted }).toEqual({ counterexample: undefined, isExhausted: true });
});

const ONE_KILL = { transactions: 1, kills: 1 } as const;
/** A collector goes on without whoever is silent; and a row that left is told by nothing but a delete. */
const LEFT_BEHIND = { moveOuts: 'deletes', timeouts: 1, isShownAtOnce: true } as const;

test.each([
  ['the inner shape has taken T before those who depend on it know of its moves', 'both', {}, earlyAnswer, PROPERTIES.promised],
  ['a splice is recorded before what its query saw has come', 'both', {}, uncovered, PROPERTIES.promised],
  ['a splice is shown before its record is durable', 'both', { transactions: 1 }, unsynced, PROPERTIES.durable],
  ['a Consumer that waits is deaf to the end of who keeps the values', 'both', ONE_KILL, deafWhileLive, PROPERTIES.ends],
  ['draining deletes', 'both', { transactions: 0, restarts: 1 }, drainThatDeletes, PROPERTIES.drained],
] as const)('a control in which %s is found, by the property that it breaks', async (_, script, changes, machines, broken) => {
  const { counterexample } = search(await spliceSystem({ ...CALM, script, ...changes }, machines), STATES_MAX);

  expect(counterexample?.property).toBe(broken);
});

test.each([
  ['what a query saw is told by position', 'comes', {}, withCutByPosition, PROPERTIES.promised],
  ['a query does not see what the shape has taken', 'written', {}, withOldSnapshots, PROPERTIES.promised],
  ['each coming and going of a value is told', 'returns', { isShownAtOnce: true }, withEveryMove, PROPERTIES.promised],
  ['versions are forgotten that somebody looks at', 'goes', {}, withForgottenVersions, PROPERTIES.versions],
  ['changes are routed by the last version alone', 'leaves', LEFT_BEHIND, withNarrowIndex, PROPERTIES.promised],
] as const)('a control in which %s is found, by the property that it breaks', async (_, script, changes, without, broken) => {
  const { counterexample } = search(without(await spliceSystem({ ...CALM, script, ...changes })), STATES_MAX);

  expect(counterexample?.property).toBe(broken);
});
