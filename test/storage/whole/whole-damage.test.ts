/**
 * Damage to the files of a life with all of it in it: at each of its states some of what can befall them, and at one state flipped bits all
 * over. `npm run torture:storage` does more of both.
 */
import { expect, test } from 'vitest';
import { invariant } from '../../../src/base/invariant.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { flips, mishaps, staleCopies, type Mishap } from '../damages.ts';
import type { MemoryDisk } from '../memory-disk.ts';
import type { WholeWorld } from './whole-world.ts';
import { damagedAt, momentsOf, WHOLE_LIFE } from './workloads.ts';

const STATES_EVERY = 6;
const FLIPPED_EVERY = 401;
/** Some fewer than there are of both. */
const [MISHAPS_MIN, FLIPS_MIN] = [80, 120];

test('whatever befalls its files at whatever moment, a life tells nothing wrong, and goes on', async () => {
  const { moments, violations } = await momentsOf(WHOLE_LIFE, { isPatient: true });
  const random = seededRandom(1);
  const found = [...violations];
  let befallen = 0;
  for (let index = STATES_EVERY; index < moments.length; index += STATES_EVERY) {
    const [moment, older] = [moments[index], moments[random.below(index)]];
    if (moment === undefined || older === undefined) continue;
    const all = [...mishaps(moment.disk.files, random), ...staleCopies(older.disk, moment.disk)];
    const one = all[random.below(all.length)];
    if (one === undefined) continue;
    found.push(...(await damagedAt(moment, [one])).map((violation) => `operation ${index}, ${violation}`));
    befallen += 1;
  }

  expect({ found, areMany: befallen > MISHAPS_MIN }).toEqual({ found: [], areMany: true });
}, 600_000);

test('whatever bit is flipped, a life tells nothing wrong, and goes on', async () => {
  const { moments } = await momentsOf(WHOLE_LIFE, { isPatient: true });
  const moment = momentAt(moments, 0.7);
  const all = [...flips(moment.disk, FLIPPED_EVERY, seededRandom(1))];

  expect({ found: await damagedAt(moment, all), areMany: all.length > FLIPS_MIN }).toEqual({ found: [], areMany: true });
}, 600_000);

test('a disk that is put back as a whole, which no checksum tells, is found out', async () => {
  const { moments } = await momentsOf(WHOLE_LIFE, { isPatient: true });
  const older = momentAt(moments, 0.6).disk;

  expect(await damagedAt(momentAt(moments, 0.7), [wholeCopy(older)])).toContainEqual(expect.stringContaining(' was durable'));
}, 600_000);

function momentAt(moments: readonly WholeWorld[], share: number): WholeWorld {
  const moment = moments[Math.floor(share * moments.length)];
  invariant(moment !== undefined, 'a life has moments');
  return moment;
}

/** All of it fits together. */
function wholeCopy(older: MemoryDisk): Mishap {
  return {
    name: 'all files are as they were before',
    befall(disk) {
      for (const path of disk.files) if (!older.files.includes(path)) disk.lose(path);
      for (const path of older.files) disk.putBack(path, older.content(path));
    },
  };
}
