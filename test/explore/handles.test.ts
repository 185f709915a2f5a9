/** Every life of a handle within small bounds; `npm run explore -- --system c` goes further. */
import { expect, test } from 'vitest';
import { search } from './checker/search.ts';
import { handleSetting } from './handles/handle-setting.ts';
import { handleSystem, type HandleBounds } from './handles/handle-system.ts';

const STATES_MAX = 300_000;
const CALM: HandleBounds = { asks: [], kills: 0, timeouts: 0, fates: {}, victims: 'shapes' };
const ASLEEP: Partial<HandleBounds> = { live: ['inner'], timeouts: 1, rests: true };

test.each<[string, Partial<HandleBounds>]>([
  ['two requests for a shape that is not there', { asks: ['inner', 'inner'] }],
  ['a request, and the query of its snapshot is refused', { asks: ['inner'], fates: { refusal: 1 } }],
  ['a request that follows a shape or asks anew, and a truncation', { live: ['inner'], asks: ['inner'], fates: { truncation: 1 } }],
  ['a request, and the power goes', { asks: ['inner'], fates: { crash: 1 } }],
  ['a shape and the one that it depends on, one of which loses a process', { live: ['inner', 'outer'], kills: 1 }],
  ['a shape and the one that it depends on, one of which is deleted', { live: ['outer'], fates: { deletion: 1 } }],
  ['a shape that falls asleep, is touched twice and wakes each time', { ...ASLEEP, timeouts: 2, fates: { touch: 2 } }],
  ['a shape that falls asleep, is touched and deleted', { ...ASLEEP, fates: { touch: 1, deletion: 1 } }],
  ['a shape that falls asleep, is touched and killed', { ...ASLEEP, fates: { touch: 1 }, kills: 1 }],
  ['a shape that falls asleep or is touched, and its table is lost', { ...ASLEEP, fates: { touch: 1, loss: 1 } }],
  ['a shape that falls asleep, and comes back asleep when the power goes', { ...ASLEEP, fates: { touch: 1, crash: 1 } }],
  ['a shape that falls asleep, and another that comes to depend on it', { ...ASLEEP, asks: ['outer'] }],
])('%s: all are answered, what depends on it ends with it, and nothing is left', async (_, bounds) => {
  const { counterexample, isExhausted } = search(handleSystem(await handleSetting(), { ...CALM, ...bounds }), STATES_MAX);

  expect({ counterexample, isExhausted }).toEqual({ counterexample: undefined, isExhausted: true });
});
