/**
 * The power goes at every change of the disk in a life with all of it in it; and at some of them again, while what the first cut left is
 * being recovered, or a kill. `npm run torture:storage` does so at all of them, and with lives by their seed.
 */
import { expect, test } from 'vitest';
import { endAt, momentsOf, WHOLE_LIFE, type End } from './workloads.ts';

const AGAIN_EVERY = 8;

test('whenever the power goes, a whole life is there as it was promised, and goes on', async () => {
  const { moments, violations } = await momentsOf(WHOLE_LIFE);
  const found = [...violations];
  for (const [index, moment] of moments.entries()) {
    const ends: [End, ...End[]][] = [index % AGAIN_EVERY === 0 ? ['power', 'power'] : ['power']];
    if (moment.disk.hasUnsynced(/checkpoint/)) ends.push(['kill', 'power']); // What the next start goes by is not durable.
    for (const each of ends) found.push(...(await endAt(moment, each, index)).map((violation) => `operation ${index}, ${violation}`));
  }

  expect(found).toEqual([]);
}, 600_000);
