/** A short share of the torture; `npm run torture` makes long ones. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';
import { FAULTS } from './faults.ts';
import { TornCluster } from './torn-cluster.ts';
import { TornDisk } from './torn-disk.ts';
import { tortureWorld } from './torture-run.ts';
import { TortureWorld } from './torture-world.ts';

const KINDS = ['service killed', 'Postgres killed', 'backends terminated', 'line cut'];
const faults = FAULTS.filter(({ name }) => KINDS.includes(name));
const directory = temporaryDirectory();
const disk = TornDisk.mount();
let cluster: TornCluster;
let world: TortureWorld;

beforeAll(async () => {
  disk.clear();
  cluster = await TornCluster.start(join(directory, 'postgres'));
  world = await TortureWorld.open(cluster, disk);
});

afterAll(async () => {
  await world.close();
  await cluster.stop();
  disk.remove();
  removeDirectory(directory);
});

test('random shapes over random writes are what SELECT answers, through kills of either side and a cut line', async () => {
  const { rounds, comparisons, excused, faults: befallen } = await tortureWorld(world, { seed: 27, rounds: 2, shapes: 5, faults });

  expect({ rounds, excused, isCompared: comparisons > 10, kinds: [...befallen.keys()].sort() }).toEqual({
    rounds: 2, excused: 0, isCompared: true, kinds: [...KINDS].sort(),
  });
});
