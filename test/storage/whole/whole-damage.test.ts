/**
 * Damage to the files of a life with all of it in it: at each of its states some of what can befall them, and at one state flipped bits all
 * over. `npm run torture:storage` does more of both.
 */
import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { flips, mishaps, staleCopies } from '../damages.ts';
import { damagedAt, momentsOf, WHOLE_LIFE } from './workloads.ts';

const STATES_EVERY = 6;
const FLIPPED_EVERY = 401;

test('whatever befalls its files at whatever moment, a life tells nothing wrong, and goes on', async () => {
  const { moments } = await momentsOf(WHOLE_LIFE, true);
  const random = seededRandom(1);
  const found: string[] = [];
  for (let index = STATES_EVERY; index < moments.length; index += STATES_EVERY) {
    const [moment, older] = [moments[index], moments[random.below(index)]];
    if (moment === undefined || older === undefined) continue;
    const all = [...mishaps(moment.disk.files, random), ...staleCopies(older.disk, moment.disk)];
    const one = all[random.below(all.length)];
    if (one !== undefined) found.push(...(await damagedAt(moment, [one])).map((violation) => `operation ${index}, ${violation}`));
  }

  expect(found).toEqual([]);
}, 600_000);

test('whatever bit is flipped, a life tells nothing wrong, and goes on', async () => {
  const { moments } = await momentsOf(WHOLE_LIFE, true);
  const moment = moments[Math.floor(0.7 * moments.length)];

  expect(moment && (await damagedAt(moment, flips(moment.disk, FLIPPED_EVERY, seededRandom(1))))).toEqual([]);
}, 600_000);
