/** What comes while a checkpoint is on its way that is to count lines which were compacted. */
import { expect, test } from 'vitest';
import { SNAPSHOT_END } from '../../../src/model/log-offset.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { StrictClient } from '../../support/storage/row-lines.ts';
import { bodyOf, snapshotOf } from '../../support/storage/stored-samples.ts';
import { CompactingWorld, EAGER } from './compacting-world.ts';

/** Its new files are written, and no checkpoint has counted them. */
async function preparedWorld(bounds = EAGER): Promise<CompactingWorld> {
  const world = await CompactingWorld.begin(600, bounds);
  world.append([{ do: 'insert', key: 'a', value: { x: '0' } }]);
  update(world, 40);
  await world.take('checkpoint');
  await world.settle();
  return world;
}

function update(world: CompactingWorld, times: number): void {
  for (let time = 0; time < times; time += 1) world.append([{ do: 'update', key: 'a', value: { x: `${time} of ${times}` } }]);
}

async function valueIn(world: CompactingWorld): Promise<string | null | undefined> {
  const client = new StrictClient();
  for (let at = SNAPSHOT_END; at !== world.shape.end; ) {
    const answer = await bodyOf(world.shape.read(at));
    if (!('body' in answer)) break;
    client.take(answer.body);
    at = answer.end as typeof at;
  }
  return client.rows.get('a')?.x;
}

test('a shape that is written to while a checkpoint saves it is compacted, and a crash leaves what the checkpoint counts', async () => {
  const world = await preparedWorld();
  update(world, 3);
  world.now.shapes.create(handleOf(2), shapeOf({})); // The log has something to sync.
  world.disk.holdSyncs();
  const taken = world.now.shapes.checkpoint();
  await world.settle();
  update(world, 5);
  world.disk.letSync();
  await taken;
  const isCompacted = world.shape.compactedThrough !== SNAPSHOT_END;
  const seen = await valueIn(world);
  const crashed = await CompactingWorld.onto(world.disk.image());
  const counted = await valueIn(crashed);
  update(crashed, 7);
  await crashed.take('checkpoint');
  const goneOn = await valueIn(crashed);
  await world.end();
  await crashed.end();

  expect({ isCompacted, seen, counted, goneOn }).toEqual({ isCompacted: true, seen: '4 of 5', counted: '2 of 3', goneOn: '6 of 7' });
});

test('a start never begins again what the last one has left of a compaction: its files may be removed late', async () => {
  const world = await preparedWorld();
  const again = await CompactingWorld.onto(world.disk.image());
  update(again, 1);
  await again.take('compact');
  await again.take('checkpoint');
  const seen = await valueIn(again);
  await world.end();
  await again.end();

  const files = again.disk.files.filter((path) => path.endsWith('lines'));
  expect({ seen, files }).toEqual({ seen: '0 of 1', files: ['/data/shapes/5f/1-1.2.lines'] });
});

test('what the last stop left of a compaction goes behind the first checkpoint: what this start went by may not be durable', async () => {
  const world = await preparedWorld();
  const again = await CompactingWorld.onto(world.disk.image());
  const linesFiles = (): readonly string[] => again.disk.files.filter((path) => path.endsWith('lines'));
  await again.settle();
  const atStart = linesFiles();
  await again.take('checkpoint');
  await again.settle();
  const behind = linesFiles();
  await world.end();
  await again.end();

  const [before, left] = ['/data/shapes/5f/1-1.lines', '/data/shapes/5f/1-1.1.lines'];
  expect({ atStart: [...atStart].sort(), behind }).toEqual({ atStart: [left, before].sort(), behind: [before] });
});

test('files of two generations that are exchanged do not hold: their lines are no others, but lie elsewhere', async () => {
  const world = await preparedWorld();
  await world.take('checkpoint');
  const isCompacted = world.shape.compactedThrough !== SNAPSHOT_END;
  const disk = world.disk.image();
  for (const kind of ['lines', 'index']) {
    const [old, next] = [`/data/shapes/5f/1-1.${kind}`, `/data/shapes/5f/1-1.1.${kind}`];
    const bytes = disk.content(old);
    disk.damage(old, disk.content(next));
    disk.damage(next, bytes);
  }
  const again = await CompactingWorld.onto(disk);
  const seen = await valueIn(again).catch((error: Error) => error.name);
  await world.end();

  expect({ isCompacted, seen }).toEqual({ isCompacted: true, seen: 'ShapeCorruptError' });
});

test('a storage that is closed while a checkpoint takes the new files over keeps them', async () => {
  const world = await preparedWorld();
  world.disk.holdSyncs();
  const taken = world.now.shapes.checkpoint();
  await world.settle();
  const closed = world.now.close();
  await world.settle();
  world.disk.letSync();
  await Promise.all([taken, closed]);
  const again = await CompactingWorld.onto(world.disk.image());
  const seen = [again.now.notes, again.shape.compactedThrough !== SNAPSHOT_END, await valueIn(again)];
  await again.end();

  expect(seen).toEqual([[], true, '39 of 40']);
});

test('a checkpoint waits for no large copy: that is made in the background, and a later one counts the new files', async () => {
  const world = await preparedWorld({ ...EAGER, waitedBytesMax: 1000 });
  update(world, 30);
  await world.take('checkpoint');
  const waited = world.shape.compactedThrough;
  await world.settle();
  update(world, 2);
  await world.take('checkpoint');
  const isCompacted = world.shape.compactedThrough !== SNAPSHOT_END;
  const seen = await valueIn(world);
  await world.end();

  expect({ waited, isCompacted, seen }).toEqual({ waited: SNAPSHOT_END, isCompacted: true, seen: '1 of 2' });
});

test('a shape that is deleted while a checkpoint takes its new files over leaves nothing behind, and the checkpoint holds', async () => {
  const world = await preparedWorld();
  world.disk.holdSyncs();
  const taken = world.now.shapes.checkpoint();
  await world.settle();
  world.now.shapes.delete(handleOf(1), 'a test');
  await world.settle();
  world.disk.letSync();
  const failure = await taken.catch((error: Error) => error.name);
  await world.end();
  const again = await CompactingWorld.onto(world.disk.image());
  const { notes } = again.now;
  await again.end();

  const files = world.disk.files.filter((path) => path.includes('/shapes/'));
  expect({ failure, notes, files }).toEqual({ failure: undefined, notes: [], files: [] });
});

test('a checkpoint that the disk refuses leaves the new files to the next one, which counts them and what came since', async () => {
  const world = await preparedWorld();
  world.disk.fail('sync', 'ENOSPC', /checkpoint/);
  const refused = await world.now.shapes.checkpoint().catch((error: Error) => error.message.split(':').at(-1));
  const crashed = await CompactingWorld.onto(world.disk.image());
  const counted = await valueIn(crashed);
  await crashed.end();
  world.disk.heal();
  update(world, 3);
  await world.take('checkpoint');
  await world.take('restart');
  const seen = await valueIn(world);
  await world.end();

  const files = world.disk.files.filter((path) => path.endsWith('lines'));
  expect({ refused, counted, seen, files }).toEqual({
    refused: ' ENOSPC', counted: '39 of 40', seen: '2 of 3', files: ['/data/shapes/5f/1-1.1.lines'],
  });
});

test('new files that no checkpoint counts go when the storage is closed', async () => {
  const world = await preparedWorld();
  const linesFiles = (): number => world.disk.files.filter((path) => path.endsWith('lines')).length;
  const prepared = linesFiles();
  await world.end();

  expect({ prepared, left: linesFiles() }).toEqual({ prepared: 2, left: 1 });
});

test('a storage that is closed behind a refused checkpoint keeps the files that it may count', async () => {
  const world = await preparedWorld();
  world.disk.fail('sync', 'ENOSPC', /checkpoint/);
  const refused = await world.now.shapes.checkpoint().catch((error: Error) => error.name);
  await world.end().catch(() => {});
  const again = await CompactingWorld.onto(world.disk.image());
  const seen = [again.now.notes, await valueIn(again)];
  await again.end();

  expect([refused, seen]).toEqual(['DiskError', [[], '39 of 40']]);
});

test('new files that the disk does not take are given up, and keep no later checkpoint from the old ones', async () => {
  const world = await preparedWorld();
  world.disk.fail('sync', 'ENOSPC', /\.1\.(lines|index)$/);
  await world.take('checkpoint');
  world.disk.heal();
  const taken = new Set<string>();
  update(world, 3);
  void world.now.shapes.checkpoint().then(() => taken.add('next'));
  await world.settle();

  const files = world.disk.files.filter((path) => path.endsWith('lines'));
  expect({ taken: [...taken], through: world.shape.compactedThrough, files }).toEqual({
    taken: ['next'], through: SNAPSHOT_END, files: ['/data/shapes/5f/1-1.lines'],
  });
  await world.end();
});

test('a storage that is being closed begins no compaction, though its last checkpoint calls for one and it has yet to wait', async () => {
  const world = await CompactingWorld.begin();
  world.append([{ do: 'insert', key: 'a', value: { x: '0' } }]);
  update(world, 40);
  await snapshotOf(world.now.shapes.create(handleOf(2), shapeOf({})), []);
  let isCounted = false;
  world.disk.beforeChange = () => {
    if (isCounted || !world.disk.files.includes('/data/checkpoint/0000000000000001.checkpoint')) return;
    isCounted = true;
    world.disk.holdSyncs();
    world.now.shapes.delete(handleOf(2), 'a test');
  };
  const closing = world.end();
  await world.settle();
  const files = world.disk.files.filter((path) => path.endsWith('lines'));
  world.disk.letSync();
  await closing;

  expect({ isCounted, files }).toEqual({ isCounted: true, files: ['/data/shapes/5f/1-1.lines'] });
});
