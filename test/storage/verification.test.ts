/**
 * What `armature storage verify` finds, against what the service meets: nothing in any state that a workload leaves behind, and of
 * damage at least all that would make the service drop, condemn or refuse something.
 */
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { verifyStorage } from '../../src/storage/inspection/verification.ts';
import type { CrashWorld } from './crash-world.ts';
import { mishaps } from './damages.ts';
import { momentsOf, WORKLOADS } from './power-cuts.ts';

async function verdict({ disk }: CrashWorld): Promise<readonly string[]> {
  disk.kill();
  try {
    const { damages } = await verifyStorage(disk.mount(), '/data', () => {});
    return damages.map(({ found, consequence }) => `${consequence}: ${found}`);
  } catch (error) {
    return [`refused: ${String(error)}`];
  }
}

test.each(Object.entries(WORKLOADS))('nothing is damaged at any moment of a workload: %s', async (_, steps) => {
  const { moments } = await momentsOf(steps);
  const found: string[] = [];
  for (const [index, moment] of moments.entries()) {
    const damages = (await verdict(moment.copy(0))).filter((text) => !text.startsWith('refused: NoStorageError'));
    found.push(...damages.map((text) => `moment ${index}: ${text}`));
  }

  expect(found).toEqual([]);
});

test.each(Object.entries(WORKLOADS))('whatever the service would drop or condemn is found: %s', async (_, steps) => {
  const { moments } = await momentsOf(steps);
  const late = moments[Math.floor(0.8 * moments.length)];
  const unseen: string[] = [];
  let losses = 0;
  for (const { name, befall } of late === undefined ? [] : mishaps(late.disk.files, seededRandom(1))) {
    const [met, verified] = [late?.copy(0), late?.copy(0)];
    if (met === undefined || verified === undefined) continue;
    befall(verified.disk);
    const loses = await met.losesBy(befall);
    losses += loses.length > 0 ? 1 : 0;
    if (loses.length > 0 && (await verdict(verified)).length === 0) unseen.push(`${name}: ${loses}`);
  }

  expect({ unseen, hasLosses: losses > 10 }).toEqual({ unseen: [], hasLosses: true });
});
