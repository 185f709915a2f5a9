/** Every interleaving of a hand-over within small bounds; `npm run explore` goes further. */
import { expect, test } from 'vitest';
import { PROPERTIES } from '../races/violations.ts';
import { search } from './checker/search.ts';
import {
  deafToDeath, drainThatDeletes, earlyOffset, earlyPace, lateMonitor, trustedSnapshot, unboundedHistory,
} from './controls/hand-over-machines.ts';
import { withFollowedName } from './controls/followed-name.ts';
import { withHeldBlocks } from './controls/held-blocks.ts';
import { handOverSystem, type HandOverBounds } from './hand-over/hand-over-system.ts';

const STATES_MAX = 1_000_000;
const CALM: HandOverBounds = { transactions: 1, kills: 0, timeouts: 0, restarts: 0 };
const ONE_DEATH: HandOverBounds = { ...CALM, kills: 1 };
const ONE_DRAIN: HandOverBounds = { ...CALM, restarts: 1 };
const DEATH_ALONE: HandOverBounds = { ...ONE_DEATH, transactions: 0 };
const IDLE: HandOverBounds = { ...DEATH_ALONE, restarts: 1 };

test('one transaction, and whoever is killed at any step: each change once, and nobody that hangs or crashes', async () => {
  const { counterexample, isExhausted } = search(await handOverSystem(ONE_DEATH), STATES_MAX);

  expect({ counterexample, isExhausted }).toEqual({ counterexample: undefined, isExhausted: true });
});

test('a Consumer that is drained at any step returns, whoever dies, and hears nothing that was under way to the last one', async () => {
  const { counterexample, isExhausted } = search(await handOverSystem(IDLE), STATES_MAX);

  expect({ counterexample, isExhausted }).toEqual({ counterexample: undefined, isExhausted: true });
});

test.each([
  ['history is read without an upper bound', CALM, unboundedHistory, PROPERTIES.once],
  ['the monitor comes after the subscription', DEATH_ALONE, lateMonitor, PROPERTIES.crashes],
  ['what was routed before the registration is left to the snapshot', CALM, trustedSnapshot, PROPERTIES.kept],
  ['an offset is handed out before it can be read', CALM, earlyOffset, PROPERTIES.readable],
  ['who waits for an answer is deaf to the death of its peer', DEATH_ALONE, deafToDeath, PROPERTIES.ends],
  ['draining deletes', { ...ONE_DRAIN, transactions: 0 }, drainThatDeletes, PROPERTIES.drained],
  ['a shape goes along with the others before it has caught up', CALM, earlyPace, PROPERTIES.kept],
])('a control in which %s is found, by the property that it breaks', async (_, bounds, machines, broken) => {
  const { counterexample } = search(await handOverSystem(bounds, machines), STATES_MAX);

  expect(counterexample?.property).toBe(broken);
});

test.each([
  ['a table gives nothing back at the end of its owner', ONE_DEATH, withHeldBlocks, PROPERTIES.held],
  ['a Consumer is followed by its name', IDLE, withFollowedName, PROPERTIES.crashes],
])('a control in which %s is found, by the property that it breaks', async (_, bounds, without, broken) => {
  const { counterexample } = search(without(await handOverSystem(bounds)), STATES_MAX);

  expect(counterexample?.property).toBe(broken);
});
