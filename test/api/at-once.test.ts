/** What is answered at once is what would be answered behind a wait, and whatever is not certain is not answered at once. */
import { beforeEach, describe, expect, test } from 'vitest';
import { isRefusal } from '../../src/api/refusal.ts';
import type { ShapeBounds } from '../../src/api/shape-bounds.ts';
import { isLive, type ShapeResponse } from '../../src/api/shape-response.ts';
import { invariant } from '../../src/base/invariant.ts';
import { Stop } from '../../src/base/stop-signal.ts';
import type { Lsn } from '../../src/model/lsn.ts';
import type { Handle } from '../../src/model/shape.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import { MemoryDisk } from '../storage/memory-disk.ts';
import { column, createWorld, itemLine, key, type World } from '../support/http/api-world.ts';
import { ManualClock } from '../support/manual-clock.ts';

type Parameters = Readonly<Record<string, unknown>>;

const ITEMS = JSON.stringify(['public', 'items']);

let world: World;
let handle: string;

beforeEach(async () => {
  world = createWorld({ rows: [itemLine('1', 'a')], chunkBytesMax: 10 });
  handle = await begin({ offset: '-1' });
  for (const lsn of [100, 200]) world.append(handle, lsn, itemLine(String(lsn), 'b'));
  await begin({ offset: '0_inf', handle });
});

function ask(parameters: Parameters, ifNoneMatch?: string, bounds?: ShapeBounds): ShapeResponse | Promise<ShapeResponse> {
  const permit = world.api.admit(undefined);
  invariant(!isRefusal(permit), 'few ask');
  const answer = world.api.readShape({ parameters: { table: 'items', ...parameters }, ifNoneMatch, bounds, permit, signal: new Stop() });
  permit.release();
  return answer;
}

async function begin(parameters: Parameters): Promise<string> {
  const answer = await ask(parameters);
  invariant(answer.kind === 'log', 'the shape is served');
  return answer.handle;
}

test.each([
  ['a chunk of the log', { offset: '0_inf' }],
  ['the end of the log', { offset: '200_0' }],
  ['its second chunk, to who holds another', { offset: '100_0' }, '"another"'],
  ['what a client holds', { offset: '100_0' }, 'its own'],
] as const)('%s: the same as behind a wait, and counted as the use that it is', async (_, place, tag?: string) => {
  const parameters = { ...place, handle };
  const ifNoneMatch = tag === 'its own' ? `"${handle}:${place.offset}:200_0"` : tag;
  world.catalog.isInDoubt = true;
  const later = ask(parameters, ifNoneMatch);
  const behind = await later;
  world.catalog.isInDoubt = false;
  const { uses } = world.status;
  const read: string[] = [];
  world.directory.noteReader = (known) => void read.push(known);
  const atOnce = ask(parameters, ifNoneMatch);

  const waited = [later, atOnce].map((answer) => answer instanceof Promise);
  const counted = { uses: world.status.uses - uses, read };
  expect({ waited, atOnce, counted }).toEqual({ waited: [true, false], atOnce: behind, counted: { uses: 1, read: [handle] } });
});

test('a snapshot that lies in memory: likewise, also to who does not know its handle', async () => {
  world.catalog.isInDoubt = true;
  const later = ask({ offset: '-1' });
  const behind = await later;
  world.catalog.isInDoubt = false;
  const atOnce = ask({ offset: '-1' });

  expect({ waited: [later, atOnce].map((answer) => answer instanceof Promise), atOnce: await told(atOnce) }).toEqual({
    waited: [true, false], atOnce: await told(behind),
  });
});

test('who reads at once is counted among the readers of shapes that exist, until the answer is sent', () => {
  const permit = world.api.admit(undefined);
  invariant(!isRefusal(permit), 'few ask');
  const parameters = { table: 'items', offset: '0_inf', handle };

  const answer = world.api.readShape({ parameters, ifNoneMatch: undefined, permit, signal: new Stop() });

  expect([answer instanceof Promise, world.api.load()]).toMatchObject([false, { initial: 0, existing: 1 }]);
});

const NOT_CERTAIN: Readonly<Record<string, (at: Parameters) => ShapeResponse | Promise<ShapeResponse>>> = {
  'a read that waits for changes': (at) => ask({ ...at, live: 'true' }),
  'the end, wherever it is': () => ask({ offset: 'now' }),
  'a part of the rows': (at) => ask({ ...at, subset__where: "value = 'a'" }),
  'what nobody can mean': () => ask({ offset: 'banana' }),
  'what was not asked for before': (at) => ask({ ...at, where: "value = 'a'" }),
  'a handle of another shape': (at) => ask({ ...at, handle: 'another' }),
  'a place beyond the end': (at) => ask({ ...at, offset: '300_0' }),
  'what is read within bounds': (at) => ask(at, undefined, { table: 'items', columns: undefined, filter: undefined }),
  'a table that is another now': (at) => {
    world.catalog.add('items', [key('id', 'uuid'), column('value', 'text')]);
    return ask(at);
  },
  'what is known of the past': (at) => {
    world.status.sleep();
    return ask(at);
  },
  'a shape that is being brought back': (at) => {
    world.status.set('starting');
    return ask(at);
  },
  'a shape that has ended': (at) => {
    world.directory.remove(handle);
    return ask(at);
  },
};

test.each(Object.entries(NOT_CERTAIN))('%s is not answered at once', async (_, asked) => {
  const answer = asked({ offset: '200_0', handle });
  const isLater = answer instanceof Promise;
  world.status.wake();
  world.status.set('active');
  if (world.directory.definitionOf(handle as Handle) !== undefined) world.append(handle, 300, itemLine('3', 'c'));

  expect([isLater, (await answer).kind]).toEqual([true, expect.any(String)]);
});

/** With its body as a client gets it. */
async function told(answer: ShapeResponse | Promise<ShapeResponse>): Promise<unknown> {
  const response = await answer;
  invariant(response.kind === 'log' && !isLive(response.body), 'the log is read');
  const pieces: Uint8Array[] = [];
  for await (const piece of response.body) pieces.push(piece);
  return { ...response, body: Buffer.concat(pieces).toString() };
}

describe('on a disk', () => {
  beforeEach(async () => {
    const storage = await openStorage({ directory: '/data', clock: new ManualClock(), disk: new MemoryDisk().mount(), chunkBytesMax: 10 });
    world = createWorld({ rows: [itemLine('1', 'a')], storage });
    handle = await begin({ offset: '-1' });
    for (const lsn of [100, 200]) world.append(handle, lsn, itemLine(String(lsn), 'b'));
    await storage.shapes.checkpoint();
  });

  test.each(['-1', '0_inf', '100_0'])('a chunk behind %s that many ask for is one answer for all', async (offset) => {
    const place = { offset, handle };
    const first = await told(ask(place));
    await told(ask(place));
    const [third, fourth] = [ask(place), ask(place)];

    expect({ isSame: third === fourth, told: await told(fourth) }).toEqual({ isSame: offset !== '100_0', told: first });
  });

  test('who holds a chunk that many ask for hears that it is the same, and whoever asks next gets it', async () => {
    const place = { offset: '0_inf', handle };
    for (let time = 0; time < 3; time += 1) await told(ask(place));
    const held = await told(ask(place, `"${handle}:0_inf:100_0"`));

    expect([held, await told(ask(place))]).toMatchObject([{ status: 304, body: '' }, { status: 200, body: `[${itemLine('100', 'b')}]` }]);
  });

  test('it is told anew when what clients need to read it has changed, and the end of the log each time', async () => {
    for (let time = 0; time < 3; time += 1) for (const offset of ['0_inf', '100_0']) await told(ask({ offset, handle }));
    const known = world.catalog.relations.get(ITEMS);
    invariant(known !== undefined, 'the table is there');
    world.catalog.relations.set(ITEMS, { ...known, columns: [key('id', 'uuid'), column('value', 'text', { notNull: true })] });
    await told(ask({ offset: '0_inf', handle }));
    world.processed = '900' as Lsn;

    expect([await told(ask({ offset: '0_inf', handle })), await told(ask({ offset: '100_0', handle }))]).toMatchObject([
      { schema: expect.stringContaining('"value":{"type":"text","not_null":true}') },
      { body: expect.stringContaining('"global_last_seen_lsn":"900"') },
    ]);
  });
});

test('bytes that are read piece by piece are waited for', async () => {
  world = createWorld({ rows: [itemLine('1', 'a')], streams: true });
  await begin({ offset: '-1' });

  expect(ask({ offset: '-1' })).toBeInstanceOf(Promise);
});
