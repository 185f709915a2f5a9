/** The checker is no second runtime: what it says of a hand-over is what the production runtime does, state by state. */
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import type { Local } from './checker/local.ts';
import { randomWalk } from './checker/random-walk.ts';
import { withFollowedName } from './controls/followed-name.ts';
import { handOverSystem, type HandOverBounds } from './hand-over/hand-over-system.ts';
import { localStates } from './hand-over/local-states.ts';
import { RuntimeReplay } from './hand-over/runtime-replay.ts';

/** Of each kind. */
const WALKS = 25;

test.each<[string, HandOverBounds]>([
  ['one transaction', { transactions: 1, kills: 0, timeouts: 0, restarts: 0 }],
  ['whole transactions, and one in parts', { transactions: 4, kills: 0, timeouts: 0, restarts: 0 }],
  ['somebody is killed', { transactions: 4, kills: 1, timeouts: 0, restarts: 0 }],
])('random walks of the checker pass the same local states on the runtime: %s', async (_, bounds) => {
  const system = withFollowedName(await handOverSystem(bounds)); // As the runtime's world does.
  const { log } = system.world;
  const ends = log.transactions.map((_each, index) => log.endOf(index + 1).through);
  const differences: object[] = [];
  for (let seed = 0; seed < WALKS; seed += 1) {
    const replay = new RuntimeReplay();
    await replay.begin(bounds.transactions);
    let count = 0;
    for (const { notes, after } of randomWalk(system, seededRandom(seed))) {
      await replay.take(notes);
      count += 1;
      const [checked, ran] = [localStates(ends, (role) => snapshotOf(after.process(role))), replay.states()];
      if (JSON.stringify(checked) === JSON.stringify(ran)) continue;
      differences.push({ seed, count, notes, checked, ran });
      break;
    }
  }

  expect(differences).toEqual([]);
});

function snapshotOf(local: Local) {
  return local.status === 'alive' ? local.snapshot : undefined;
}
