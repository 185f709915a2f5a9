/**
 * The power goes at every change of the disk in a life with all of it in it; and at some of them again, while what the first cut left is
 * being recovered, or a kill. `npm run torture:storage` does so at all of them, and with lives by their seed.
 */
import { expect, test } from 'vitest';
import { endAt, momentsOf, WHOLE_LIFE, type End } from './workloads.ts';

const AGAIN_EVERY = 8;
/** Some fewer than a life has changes of the disk, and than those of them at which the last checkpoint is not durable. */
const [MOMENTS_MIN, KILLED_MIN] = [500, 20];
const CONTROL_EVERY = 80;

test('whenever the power goes, a whole life is there as it was promised, and goes on', async () => {
  const { moments, violations } = await momentsOf(WHOLE_LIFE);
  const found = [...violations];
  let killed = 0;
  for (const [index, moment] of moments.entries()) {
    const ends: [End, ...End[]][] = [index % AGAIN_EVERY === 0 ? ['power', 'power'] : ['power']];
    if (moment.disk.hasUnsynced(/checkpoint/)) ends.push(['kill', 'power']); // What the next start goes by is not durable.
    killed += ends.length - 1;
    for (const each of ends) found.push(...(await endAt(moment, each, index)).map((violation) => `operation ${index}, ${violation}`));
  }

  expect({ found, areMany: moments.length > MOMENTS_MIN && killed > KILLED_MIN }).toEqual({ found: [], areMany: true });
}, 600_000);

test('a disk that forgets syncs of the transaction log is found out', async () => {
  const { moments } = await momentsOf(WHOLE_LIFE, { forgetting: /\.log$/ });
  const found: string[] = [];
  for (let index = CONTROL_EVERY; index < moments.length; index += CONTROL_EVERY) {
    const moment = moments[index];
    if (moment !== undefined) found.push(...(await endAt(moment, ['power'], index)));
  }

  expect(found).toContainEqual(expect.stringContaining(' was durable'));
}, 600_000);
