/**
 * The power goes at every operation on the disk while a log is compacted, and a client that stands anywhere goes on behind it to the
 * rows of a checkpoint: the last one, or the one that was being made. No file is left that nobody counts.
 */
import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { BEFORE_ALL, type LogOffset } from '../../../src/model/log-offset.ts';
import { StrictClient, toldOf, type RowOperation } from '../../support/storage/row-lines.ts';
import { bodyOf } from '../../support/storage/stored-samples.ts';
import type { MemoryDisk } from '../memory-disk.ts';
import { CompactingWorld } from './compacting-world.ts';

interface Place {
  readonly client: StrictClient;
  readonly at: LogOffset;
}

/** The disk before an operation, and what may be there of the rows when the power goes then. */
interface Moment {
  readonly disk: MemoryDisk;
  readonly may: readonly string[];
  /** Clients that have read no further than the last checkpoint. */
  readonly places: readonly Place[];
}

const update = (key: string, name: string, text: string): RowOperation => ({ do: 'update', key, value: { [name]: text } });

async function read(world: CompactingWorld, { client, at }: Place, answers = Infinity): Promise<Place> {
  const next = client.copy();
  let place = at;
  for (let left = answers; left > 0; left -= 1) {
    const answer = await bodyOf(world.shape.read(place));
    if (!('body' in answer)) next.complaints.push(answer.outcome);
    else next.take(answer.body);
    if (!('body' in answer) || answer.upToDate) break;
    place = answer.end as LogOffset;
  }
  return { client: next, at: place };
}

async function momentsOf(): Promise<readonly Moment[]> {
  const world = await CompactingWorld.begin();
  const writer = new StrictClient();
  const moments: Moment[] = [];
  let may: readonly string[] = [];
  let places: readonly Place[] = [];
  const append = (operations: readonly RowOperation[]): void => world.append(operations);
  const told = async (): Promise<string> => toldOf((await read(world, { client: writer, at: BEFORE_ALL })).client.rows);
  append(['a', 'b'].map((key) => ({ do: 'insert', key, value: { x: '0', y: '0' } })));
  await world.take('checkpoint');
  may = [await told()];
  world.disk.beforeChange = () => moments.push({ disk: world.disk.image(), may, places });
  for (let round = 1; round <= 4; round += 1) {
    for (let time = 0; time < 8 * round; time += 1)
      append([update('a', time % 2 === 0 ? 'x' : 'y', `${round}.${time}`), update('b', 'x', `${time}`)]);
    may = [...may, await told()];
    await world.take('checkpoint');
    may = may.slice(-1);
    places = [...places, await read(world, { client: writer, at: BEFORE_ALL }, 2 + round)];
    await world.settle();
    append([update('b', 'x', `late ${round}`)]);
    const counted = [...may, await told()];
    may = counted;
    const taken = world.take('checkpoint');
    append([update('b', 'y', `later ${round}`)]);
    counted.push(await told());
    await taken;
  }
  world.disk.beforeChange = () => {};
  expect(world.compactions).toBeGreaterThan(1);
  return moments;
}

async function cutAt({ disk, may, places }: Moment, seed: number): Promise<readonly unknown[]> {
  const left = disk.image();
  left.crash(seededRandom(seed));
  const world = await CompactingWorld.onto(left);
  const found: unknown[] = [];
  for (const place of [{ client: new StrictClient(), at: BEFORE_ALL }, ...places]) {
    const { client } = await read(world, place);
    if (!may.includes(toldOf(client.rows)) || client.complaints.length > 0) found.push([place.at, toldOf(client.rows), client.complaints]);
  }
  for (let time = 0; time < 40; time += 1) world.append([update('b', 'y', String(time))]);
  await world.take('compact');
  await world.take('compact');
  const { client } = await read(world, { client: new StrictClient(), at: BEFORE_ALL });
  const goesOn = client.rows.get('b')?.y === '39' && client.complaints.length === 0;
  if (!goesOn) found.push(['it does not go on', toldOf(client.rows), client.complaints]);
  await world.end();
  const lines = left.files.filter((path) => /\.(lines|index)$/.test(path));
  if (lines.length !== 2) found.push(lines);
  return found;
}

test('whenever the power goes', async () => {
  const moments = await momentsOf();
  const found: unknown[] = [];
  for (const [seed, moment] of moments.entries()) found.push(...(await cutAt(moment, seed)));

  expect(found).toEqual([]);
});
