/**
 * Power cuts after the n-th operation on the disk, for every n: a workload runs once, an image of the disk and of what had
 * been promised is kept before each change, and from each of them the power goes in several ways.
 */
import { CrashWorld, type Step, type Violation } from './crash-world.ts';

const transaction = (bytes = 60): Step => ({ do: 'transaction', fragments: 2, bytes });
const taken: readonly Step[] = [transaction(), { do: 'apply' }];

/** Each has in it what once went unseen: a line of the storage that could be left out. */
export const WORKLOADS: Readonly<Record<string, readonly Step[]>> = {
  'snapshots, appends and checkpoints': [
    ...taken,
    { do: 'create' },
    ...taken,
    { do: 'checkpoint' },
    { do: 'create' },
    ...taken,
    { do: 'read' },
    ...taken,
    { do: 'checkpoint' },
    ...taken,
    { do: 'checkpoint' },
    { do: 'read' },
  ],
  'deletions among checkpoints': [
    { do: 'create' },
    { do: 'create' },
    ...taken,
    { do: 'checkpoint' },
    { do: 'delete' },
    ...taken,
    { do: 'checkpoint' },
    { do: 'delete' },
    { do: 'create' },
    ...taken,
    { do: 'checkpoint' },
  ],
  'a shape that goes back while a checkpoint is made': [
    { do: 'create' },
    ...taken,
    ...taken,
    ...taken,
    { do: 'go back during a checkpoint', turns: 6 },
    { do: 'read' },
    ...taken,
    { do: 'checkpoint' },
  ],
  'transactions larger than a block': [
    { do: 'create' },
    ...taken,
    transaction(300),
    { do: 'apply' },
    { do: 'read' },
    { do: 'create' },
    transaction(300),
    { do: 'apply but the new' },
    { do: 'checkpoint' },
    { do: 'apply' },
    { do: 'checkpoint' },
    { do: 'read' },
  ],
  'a shape that goes back between a checkpoint and the release of the log': [
    { do: 'create' },
    { do: 'create' },
    ...taken,
    { do: 'transaction', fragments: 1, bytes: 446 },
    { do: 'checkpoint' },
    { do: 'kill' },
    { do: 'go back during a checkpoint', turns: 22 },
  ],
  'kills in the middle': [
    { do: 'create' },
    ...taken,
    { do: 'checkpoint' },
    ...taken,
    { do: 'open transaction' },
    { do: 'kill' },
    transaction(300),
    { do: 'kill' },
    { do: 'create' },
    ...taken,
    { do: 'read' },
    { do: 'kill' },
  ],
  'syncs of the log that fail': [
    { do: 'create' },
    ...taken,
    transaction(),
    { do: 'fail', syncsOf: /\.log$/, during: 'sync' },
    { do: 'read' },
    ...taken,
    { do: 'checkpoint' },
    transaction(300),
    { do: 'fail', syncsOf: /\/log$/, during: 'sync' },
    ...taken,
  ],
  'syncs of shapes that fail': [
    { do: 'create' },
    ...taken,
    { do: 'fail', syncsOf: /\.lines$/, during: 'checkpoint' },
    ...taken,
    { do: 'fail', syncsOf: /\.index$/, during: 'checkpoint' },
    ...taken,
    { do: 'checkpoint' },
    ...taken,
    { do: 'fail', syncsOf: /\.snapshot$/, during: 'create' },
    { do: 'create' },
    { do: 'checkpoint' },
  ],
  'small snapshots in packs, which fill up, fail and go': [
    { do: 'create' },
    { do: 'create' },
    { do: 'create' },
    ...taken,
    { do: 'checkpoint' },
    { do: 'create' },
    { do: 'create' },
    { do: 'fail', syncsOf: /\.pack$/, during: 'checkpoint' },
    { do: 'create' },
    { do: 'create' },
    { do: 'checkpoint' },
    { do: 'delete' },
    { do: 'delete' },
    { do: 'read' },
    { do: 'checkpoint' },
    { do: 'fail', syncsOf: /\/packs$/, during: 'checkpoint' },
    { do: 'checkpoint' },
    { do: 'delete' },
    { do: 'checkpoint' },
    ...taken,
    { do: 'checkpoint' },
    { do: 'kill' },
    { do: 'checkpoint' },
    { do: 'read' },
  ],
  'syncs of checkpoints that fail': [
    { do: 'create' },
    ...taken,
    { do: 'fail', syncsOf: /\.checkpoint\.new$/, during: 'checkpoint' },
    ...taken,
    { do: 'checkpoint' },
    ...taken,
    { do: 'fail', syncsOf: /\.checkpoint(\.new)?$/, during: 'checkpoint' },
    ...taken,
    { do: 'fail', syncsOf: /\/checkpoint$/, during: 'checkpoint' },
    { do: 'delete' },
  ],
};

/** A workload at the moment before each of its operations. */
export async function momentsOf(
  steps: readonly Step[],
): Promise<{ readonly moments: readonly CrashWorld[]; readonly violations: readonly Violation[] }> {
  const world = CrashWorld.fresh(0);
  const moments: CrashWorld[] = [];
  world.disk.beforeChange = () => moments.push(world.copy(moments.length));
  const violations = await world.run(steps);
  return { moments, violations };
}

/** @returns what each way of losing power at this moment breaks. */
export async function cutAt(moment: CrashWorld, seeds: Iterable<number>): Promise<Violation[]> {
  const found: Violation[] = [];
  for (const seed of seeds) {
    const violations = await moment.copy(seed).cut().catch((error: unknown) => [`it does not come back: ${String(error)}`]);
    found.push(...violations.map((violation) => `seed ${seed}: ${violation}`));
  }
  return found;
}
