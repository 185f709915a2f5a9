import { expect, test } from 'vitest';
import type { DirectoryPorts } from '../../../src/actors/directory/directory-ports.ts';
import { LOT_MAX } from '../../../src/actors/directory/restoration.ts';
import { ShapeDirectory } from '../../../src/actors/directory/shape-directory.ts';
import { uncopied } from '../../../src/base/fork.ts';
import { LSN_ZERO } from '../../../src/model/lsn.ts';
import type { Handle, ShapeDefinition } from '../../../src/model/shape.ts';
import type { ExitReason, Pid, ReplyTo } from '../../../src/otp/process.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import type { ShapeLogs } from '../../../src/storage/shapes/shape-logs.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, itemsLayout, shapeOf } from '../../support/shapes.ts';
import { snapshotOf } from '../../support/storage/stored-samples.ts';

const definition = shapeOf({});
const PID = 'consumer#1' as Pid;
const FIRST = 'call#1' as ReplyTo;
const SECOND = 'call#2' as ReplyTo;
const THIRD = 'call#3' as ReplyTo;
const DRAINED: ExitReason = { shutdown: 'drain' };

function directoryOn(shapeLogs: ShapeLogs, ports: Partial<DirectoryPorts> = {}): ShapeDirectory {
  const clone = uncopied('a storage');
  const nothing = { faultOf: () => undefined, mayRest: () => false, rotated: () => {} };
  return new ShapeDirectory({ shapeLogs, clock: new ManualClock(), ...nothing, clone, ...ports });
}

test('a purge is answered when the last shape has been deleted', () => {
  const { shapes } = memoryStorage();
  const directory = directoryOn(shapes);
  const reply = 'call#1' as ReplyTo;
  const processes = ['one', 'two'].map((where, index) => {
    const reserved = directory.apply({
      type: 'reserve',
      definition: shapeOf({ where: { column: 'title', equals: where } }),
      replyTo: reply,
    });
    const pid = `consumer#${index}` as Pid;
    if (reserved !== undefined && 'handle' in reserved) directory.apply({ type: 'started', handle: reserved['handle'] as never, pid });
    return pid;
  });

  const condemned = directory.apply({ type: 'purge', why: 'asked', replyTo: 'call#2' as ReplyTo });
  const answers = processes.map((pid) => {
    directory.apply({ type: 'down', pid, reason: { shutdown: { delete: 'asked' } } });
    return { left: [...shapes.all()].length, answer: directory.apply('settle') };
  });

  expect({ condemned, answers, again: directory.apply('settle') }).toEqual({
    condemned: { type: 'shapes.condemned', pids: processes, why: 'asked', count: 2, relations: ['public.items'] },
    answers: [{ left: 1, answer: undefined }, { left: 0, answer: { type: 'shapes.purged', replies: ['call#2'] } }],
    again: undefined,
  });
});

/** A directory with one shape that was asked for. */
function reservedShape() {
  const { shapes } = memoryStorage();
  const rotated: Handle[] = [];
  const directory = directoryOn(shapes, { rotated: (handle) => void rotated.push(handle) });
  directory.apply({ type: 'reserve', definition, replyTo: FIRST });
  const handle = directory.find(definition) ?? ('' as Handle);
  return {
    directory, handle, shapes, rotated,
    start: () => directory.apply({ type: 'started', handle, pid: PID }),
    condemn: (replyTo = SECOND) => directory.apply({ type: 'condemn', handle, why: 'asked', replyTo }),
    down: (reason: ExitReason) => directory.apply({ type: 'down', pid: PID, reason }),
    completeSnapshot: () => shapes.get(handle)?.beginSnapshot({ xmin: '1', xmax: '1', xip: [], insertLsn: LSN_ZERO }).complete(),
  };
}

test('who asks for a shape that is starting waits with the first, who comes later finds it', () => {
  const { directory, handle, start } = reservedShape();

  const answers = [
    directory.apply({ type: 'reserve', definition, replyTo: SECOND }),
    start(),
    directory.apply({ type: 'reserve', definition, replyTo: THIRD }),
  ];

  expect(answers).toEqual([
    undefined,
    { type: 'shape.started', handle, pid: PID, replies: [FIRST, SECOND] },
    { type: 'shape.found', handle, replyTo: THIRD },
  ]);
});

test('a shape that is condemned is found no more, once, and its definition gets another handle at the same moment', () => {
  const { directory, handle, rotated, start, condemn } = reservedShape();
  start();

  const look = () => [
    directory.find(definition),
    directory.definitionOf(handle),
    directory.apply({ type: 'confirm', handle, replyTo: THIRD }),
  ];
  const before = look();
  const answers = [condemn(), condemn(THIRD)];
  const after = look();
  directory.apply({ type: 'reserve', definition, replyTo: THIRD });

  expect({ before, answers, after, rotated, isAnother: directory.find(definition) !== handle }).toEqual({
    before: [handle, definition, { type: 'shape.isKept', replyTo: THIRD }],
    answers: [
      { type: 'shape.condemned', handle, pids: [PID], replies: [SECOND], why: 'asked' },
      { type: 'shape.unknown', handle, replyTo: THIRD },
    ],
    after: [undefined, undefined, { type: 'shape.isGone', replyTo: THIRD }],
    rotated: [handle],
    isAnother: true,
  });
});

test('shapes that are condemned together are told once, with the tables that they were on', () => {
  const { directory, handle, start, down } = reservedShape();
  start();
  const elsewhere = Array.from({ length: 12 }, (_, index) => shapeOf({}, { ...itemsLayout, oid: index, name: `table_${index}` }));
  for (const other of elsewhere) directory.apply({ type: 'reserve', definition: other, replyTo: SECOND });
  const handles = [handle, ...elsewhere.map((other) => directory.find(other) ?? handle)];

  const condemn = () => directory.apply({ type: 'condemnShapes', handles, why: 'lost' });
  const [told, again] = [condemn(), condemn()];

  expect({ told, again, gone: down({ shutdown: { delete: 'lost' } }), left: directory.size }).toEqual({
    told: {
      type: 'shapes.condemned', pids: [PID], why: 'lost', count: 13,
      relations: ['public.items', ...Array.from({ length: 9 }, (_, index) => `public.table_${index}`)],
    },
    again: undefined,
    gone: { type: 'shape.gone', handle, why: 'lost', isTold: true, pids: [], replies: [] },
    left: 0,
  });
});

test('of shapes that expire none goes on which another one has come to depend', () => {
  const { directory, handle } = reservedShape();
  const { definition } = { definition: directory.definitionOf(handle) ?? shapeOf({}) };
  const outer: ShapeDefinition = { ...shapeOf({}, { ...itemsLayout, oid: 9 }), dependencies: [{ shape: definition, column: 'id' }] };
  const expire = (of: Handle | undefined) => directory.apply({ type: 'expire', handles: of === undefined ? [] : [of], why: 'unread' });
  directory.apply({ type: 'reserve', definition: outer, replyTo: SECOND });

  const inner = expire(handle);
  const kept = [directory.find(definition), directory.find(outer)];
  const told = expire(directory.find(outer));

  expect({ inner, isKept: kept.every((each) => each !== undefined), told, left: directory.find(outer) }).toEqual({
    inner: undefined,
    isKept: true,
    told: expect.objectContaining({ type: 'shapes.condemned', count: 1, why: 'unread' }),
    left: undefined,
  });
});

test('a shape that is condemned before its Consumer has started ends it then', () => {
  const { handle, start, condemn } = reservedShape();

  expect([condemn(), start()]).toMatchObject([{ pids: [] }, { type: 'shape.condemned', handle, pids: [PID], replies: [FIRST] }]);
});

test('a Consumer that drained is started again, and answers those who came meanwhile', async () => {
  const { directory, handle, start, down, completeSnapshot } = reservedShape();
  start();
  await completeSnapshot();

  const again = [down(DRAINED), directory.find(definition), directory.apply({ type: 'reserve', definition, replyTo: SECOND }), start()];

  expect(again).toMatchObject([
    { type: 'shape.reserved', handle, mode: 'restore' },
    handle,
    undefined,
    { type: 'shape.started', handle, replies: [SECOND] },
  ]);
});

test('a Consumer that is asked for while its supervisor has yet to hear of the end of the last one is asked for again', async () => {
  const { directory, handle, start, down, completeSnapshot } = reservedShape();
  start();
  await completeSnapshot();
  down(DRAINED);

  const delayed = directory.apply({ type: 'refused', handle, why: 'already_started', isDelayed: true });

  expect([delayed, start()]).toMatchObject([{ type: 'shape.reserved', handle, mode: 'restore' }, { type: 'shape.started', handle }]);
});

test('a Consumer that ended before it was watched may have drained: it is started again, and not for ever', async () => {
  const { handle, start, down, completeSnapshot } = reservedShape();
  start();
  await completeSnapshot();

  const told: unknown[] = [];
  for (let times = 0; times < 10 && told.at(-1) !== 'shape.gone'; times += 1) {
    told.push(down('noproc')?.type);
    if (told.at(-1) === 'shape.reserved') start();
  }

  expect({ handle, told }).toEqual({ handle, told: [...Array<string>(8).fill('shape.reserved'), 'shape.gone'] });
});

test('a Consumer that was watched to its end makes the ones that were not count no more', async () => {
  const { start, down, completeSnapshot } = reservedShape();
  start();
  await completeSnapshot();
  const ends: readonly ExitReason[] = [...Array<ExitReason>(8).fill('noproc'), DRAINED, 'noproc'];

  const told = ends.map((end) => [down(end)?.type, start()][0]);

  expect(told).toEqual(ends.map(() => 'shape.reserved'));
});

test('a Consumer that was condemned while it was asked for is refused, also where its supervisor would have it later', () => {
  const { directory, handle, condemn } = reservedShape();
  condemn();

  expect(directory.apply({ type: 'refused', handle, why: 'already_started', isDelayed: true })).toMatchObject({ type: 'shape.refused' });
});

test('the first reason for which a shape ends is the one that is told', () => {
  const { directory, handle, start, condemn, down } = reservedShape();
  start();
  condemn();
  directory.apply({ type: 'purge', why: 'later', replyTo: THIRD });

  expect(down({ shutdown: { delete: 'later' } })).toMatchObject({ type: 'shape.gone', handle, why: 'asked' });
});

test('a shape whose Consumer does not start is gone, and all who wait for it hear why', () => {
  const { directory, handle, shapes, rotated } = reservedShape();
  directory.apply({ type: 'reserve', definition, replyTo: SECOND });

  const told = directory.apply({ type: 'refused', handle, why: 'no room' });

  expect({ told, found: directory.find(definition), stored: shapes.get(handle), rotated }).toEqual({
    told: { type: 'shape.refused', handle, why: 'no room', replies: [FIRST, SECOND], pids: [] },
    found: undefined,
    stored: undefined,
    rotated: [handle],
  });
});

test.each([
  ['without its whole snapshot', false],
  ['of a condemned shape', true],
])('a Consumer %s that drained is not', async (_, isCondemned) => {
  const { handle, shapes, start, down, condemn, completeSnapshot } = reservedShape();
  start();
  if (isCondemned) await completeSnapshot();
  if (isCondemned) condemn();

  expect([down(DRAINED), shapes.get(handle)]).toMatchObject([{ type: 'shape.gone', handle }, undefined]);
});

/** A definition for each title, with those that it takes values from. */
function titled(title: string, innerOf: (title: string) => readonly string[]): ShapeDefinition {
  const dependencies = innerOf(title).map((inner) => ({ shape: titled(inner, innerOf), column: 'id' }));
  return { ...shapeOf({ where: { column: 'title', equals: title } }), ...(dependencies.length === 0 ? {} : { dependencies }) };
}

/** All that is stored is known to it. */
function entered(directory: ShapeDirectory): ShapeDirectory {
  while (directory.apply({ type: 'enterMore' })?.type === 'shapes.partlyEntered');
  return directory;
}

/** Stored shapes, each with what it depends on: `['2-1', '1-1']` takes values from `1-1`. */
async function storedShapes(...edges: readonly (readonly [handle: string, ...dependsOn: string[]])[]) {
  const { shapes } = memoryStorage();
  const innerOf = (outer: string) => (edges.find(([handle]) => handle === outer)?.slice(1) ?? []) as Handle[];
  for (const [handle] of edges) {
    const shape = shapes.create(handle as Handle, titled(handle, innerOf), innerOf(handle));
    await shape.beginSnapshot({ xmin: '1', xmax: '1', xip: [], insertLsn: LSN_ZERO }).complete();
  }
  const rotated: unknown[] = [];
  const directory = directoryOn(shapes, {
    // Readers are told by the log's definition.
    rotated: (handle) => void rotated.push(shapes.get(handle)?.definition.where?.text),
  });
  const restoreNext = () => entered(directory).apply({ type: 'restMore' });
  const start = (handle: string) => directory.apply({ type: 'started', handle: handle as Handle, pid: `consumer#${handle}` as Pid });
  return {
    shapes, rotated, directory, restoreNext, start,
    /** One after the other, each as soon as its turn comes. */
    restore: (...handles: readonly string[]) => handles.forEach((handle) => void [restoreNext(), start(handle)]),
    down: (handle: string, reason: ExitReason) => directory.apply({ type: 'down', pid: `consumer#${handle}` as Pid, reason }),
    left: () => [...shapes.all()].map(({ handle }) => handle),
  };
}

test('the stored shapes are back when the last of them is, also one whose Consumer ended while the others came', async () => {
  const { restoreNext, start, down } = await storedShapes(['1-1'], ['2-1']);

  const first = restoreNext();
  start('1-1');
  const second = restoreNext();
  const again = down('1-1', DRAINED);
  start('2-1');
  const early = restoreNext();
  start('1-1');

  expect([first, second, again, early, restoreNext()]).toMatchObject([
    { type: 'shape.reserved', handle: '1-1', mode: 'restore' },
    { type: 'shape.reserved', handle: '2-1', mode: 'restore' },
    { type: 'shape.reserved', handle: '1-1', mode: 'restore' },
    undefined,
    { type: 'shapes.restored', count: 2 },
  ]);
});

test('how many are back is told when that begins, by the hundred, and at the end', async () => {
  const handles = Array.from({ length: 205 }, (_, index) => `${index + 1}-1`);
  const { shapes } = await storedShapes(...handles.map((handle) => [handle] as const));
  const told: (readonly [number, number])[] = [];
  const directory = entered(directoryOn(shapes, { restoring: (restored, of) => void told.push([restored, of]) }));
  directory.apply({ type: 'restMore' });

  for (const handle of handles) {
    directory.apply({ type: 'started', handle: handle as Handle, pid: `consumer#${handle}` as Pid });
    directory.apply({ type: 'restoreNext' });
  }

  expect(told).toEqual([[0, 205], [100, 205], [200, 205], [205, 205]]);
});

test.each([
  { what: 'the last', stored: 103, refused: 3, told: [[0, 103], [100, 103], [100, 100]] },
  { what: 'all', stored: 2, refused: 2, told: [[0, 2], [0, 0]] },
])('that all are back is told also where $what are refused', async ({ stored, refused, told }) => {
  const handles = Array.from({ length: stored }, (_, index) => `${index + 1}-1` as Handle);
  const { shapes } = await storedShapes(...handles.map((handle) => [handle] as const));
  const heard: unknown[] = [];
  const directory = entered(directoryOn(shapes, { restoring: (...counts) => void heard.push(counts) }));
  directory.apply({ type: 'restMore' });

  for (const [index, handle] of handles.entries()) {
    const isBack = index < stored - refused;
    directory.apply(isBack ? { type: 'started', handle, pid: `consumer#${handle}` as Pid } : { type: 'refused', handle, why: 'no room' });
    directory.apply({ type: 'restoreNext' });
  }

  expect(heard).toEqual(told);
});

test('where nothing is stored nothing comes back', () => {
  const told: unknown[] = [];
  const directory = directoryOn(memoryStorage().shapes, { restoring: (...counts) => void told.push(counts) });

  expect([directory.apply({ type: 'enterMore' }), directory.apply({ type: 'restMore' }), told]).toEqual([
    { type: 'shapes.entered' }, { type: 'shapes.restored', count: 0 }, [],
  ]);
});

test('a stored shape serves from the first, though others come back before it', async () => {
  const { directory, restoreNext } = await storedShapes(['1-1'], ['2-1']);
  restoreNext();

  const later = shapeOf({ where: { column: 'title', equals: '2-1' } });
  const found = [directory.find(later), directory.findReadable(later), directory.definitionOf('2-1' as Handle)];
  expect([found, directory.size]).toEqual([['2-1', '2-1', later], 2]);
});

test('what is stored can be found before the first Consumer is asked for', async () => {
  const { directory } = await storedShapes(['1-1'], ['2-1', '1-1']);
  const outer = titled('2-1', (title) => (title === '2-1' ? ['1-1'] : []));

  expect([entered(directory).findReadable(outer), directory.count('reserved')]).toEqual(['2-1', 2]);
});

test('stored shapes come back one at a time, whatever else is asked meanwhile', async () => {
  const { directory, restoreNext } = await storedShapes(['1-1'], ['2-1']);
  restoreNext();

  expect([directory.apply('settle'), restoreNext()]).toEqual([undefined, undefined]);
});

test('a stored shape that is condemned before its turn is gone at once with its dependants, and the others come back', async () => {
  const { directory, restoreNext, start, left } = await storedShapes(['1-1'], ['2-1'], ['3-1', '2-1']);
  restoreNext();

  const condemned = directory.apply({ type: 'condemn', handle: '2-1' as Handle, why: 'asked', replyTo: FIRST });
  const gone = [directory.apply('settle'), directory.apply('settle'), directory.apply('settle')];
  start('1-1');

  expect({ condemned, gone, left: left(), last: [restoreNext(), restoreNext()] }).toMatchObject({
    condemned: { type: 'shape.condemned', handle: '2-1', pids: [], replies: [FIRST] },
    gone: [{ type: 'shape.gone', handle: '2-1' }, { type: 'shape.gone', handle: '3-1' }, undefined],
    left: ['1-1'],
    last: [{ type: 'shapes.restored', count: 1 }, undefined],
  });
});

test('of two stored shapes of a definition the newer one comes back, in whatever order they are stored', async () => {
  const { shapes } = memoryStorage();
  for (const handle of ['1-9', '1-70', '1-8'] as Handle[]) await snapshotOf(shapes.create(handle, definition), []);
  const directory = entered(directoryOn(shapes));

  const restored = directory.apply({ type: 'restMore' });

  expect({ restored, found: directory.find(definition), stored: Array.from(shapes.all(), ({ handle }) => handle) }).toMatchObject({
    restored: { type: 'shape.reserved', handle: '1-70' },
    found: '1-70',
    stored: ['1-70'],
  });
});

test('a stored shape whose filter is not taken any more ends in its turn, with its dependants, and the others come back', async () => {
  const { shapes, left } = await storedShapes(['1-1'], ['2-1', '1-1'], ['3-1', '2-1'], ['4-1']);
  const faultOf = ({ where }: ShapeDefinition) => (where?.text === "title = '2-1'" ? 'it is too long' : undefined);
  const directory = entered(directoryOn(shapes, { faultOf }));
  const restore = (handle: string) => {
    const told = directory.apply({ type: 'restMore' });
    directory.apply({ type: 'started', handle: handle as Handle, pid: `consumer#${handle}` as Pid });
    return told;
  };

  const told = [restore('1-1'), restore('4-1'), directory.apply({ type: 'restoreNext' }), directory.apply({ type: 'restoreNext' })];

  expect({ told, left: left() }).toMatchObject({
    told: [
      { type: 'shape.reserved', handle: '1-1' },
      { type: 'shape.reserved', handle: '4-1' },
      { type: 'shape.refused', handle: '2-1', why: 'this version does not take its filter: it is too long', dependantCount: 1 },
      { type: 'shapes.restored', count: 2 },
    ],
    left: ['1-1', '4-1'],
  });
});

test('however many shapes are stored, a step enters a bounded number of them, and one that is still to be entered is kept', async () => {
  const { shapes } = memoryStorage();
  for (let index = 0; index < 2 * LOT_MAX + 1; index += 1) {
    await snapshotOf(shapes.create(handleOf(index), shapeOf({ where: { column: 'title', equals: String(index) } })), []);
  }
  const directory = directoryOn(shapes);

  const steps = [1, 2, 3].map(() => {
    const before = directory.size;
    const told = directory.apply({ type: 'enterMore' });
    const last = directory.apply({ type: 'confirm', handle: handleOf(2 * LOT_MAX), replyTo: FIRST });
    return { entered: directory.size - before, told: told?.type, last: last?.type };
  });

  expect(steps).toEqual([
    { entered: LOT_MAX, told: 'shapes.partlyEntered', last: 'shape.isKept' },
    { entered: LOT_MAX, told: 'shapes.partlyEntered', last: 'shape.isKept' },
    { entered: 1, told: 'shapes.entered', last: 'shape.isKept' },
  ]);
});

test('they are laid to rest some at a time, and only then the first Consumer is asked for', async () => {
  const handles = Array.from({ length: 2 * LOT_MAX + 1 }, (_, index) => handleOf(index));
  const { shapes } = await storedShapes(...handles.map((handle) => [handle] as const));
  const directory = entered(directoryOn(shapes, { mayRest: (handle) => handle !== handles[LOT_MAX] }));

  const told = [1, 2, 3, 4].map(() => [directory.apply({ type: 'restMore' }), directory.apply({ type: 'restoreNext' })]);

  expect(told).toMatchObject([
    [{ type: 'shapes.rested', handles: handles.slice(0, LOT_MAX) }, undefined],
    [{ type: 'shapes.rested', handles: handles.slice(LOT_MAX + 1, 2 * LOT_MAX) }, undefined],
    [{ type: 'shapes.rested', handles: handles.slice(2 * LOT_MAX) }, undefined],
    [{ type: 'shape.reserved', handle: handles[LOT_MAX] }, undefined],
  ]);
});

test('one that is deleted before its turn to be laid to rest is not told of', async () => {
  const handles = Array.from({ length: LOT_MAX + 2 }, (_, index) => handleOf(index));
  const { shapes } = await storedShapes(...handles.map((handle) => [handle] as const));
  const directory = entered(directoryOn(shapes, { mayRest: () => true }));

  const first = directory.apply({ type: 'restMore' });
  for (const index of [0, LOT_MAX]) directory.apply({ type: 'condemn', handle: handleOf(index), why: 'asked', replyTo: FIRST });

  expect([first, directory.apply({ type: 'restMore' }), directory.apply({ type: 'restMore' })]).toMatchObject([
    { type: 'shapes.rested', handles: handles.slice(0, LOT_MAX) },
    { type: 'shapes.rested', handles: [handleOf(LOT_MAX + 1)] },
    { type: 'shapes.restored', count: LOT_MAX },
  ]);
});

test('inner shapes are back before the outer ones that depend on them', async () => {
  const { restoreNext, start } = await storedShapes(['3-1', '2-1', '1-1'], ['2-1', '1-1'], ['1-1']);

  const order = [1, 2, 3].map(() => {
    const handle = restoreNext()?.['handle'];
    start(String(handle));
    return handle;
  });

  expect(order).toEqual(['1-1', '2-1', '3-1']);
});

test('a stored shape with half a snapshot is dropped with its dependants, and readers are told while the logs are there', async () => {
  const { shapes, directory, rotated, restoreNext, start, left } = await storedShapes(['1-1'], ['2-1', '9-1']);
  shapes.create('9-1' as Handle, shapeOf({ where: { column: 'title', equals: 'half' } }));

  const restored = [restoreNext(), start('1-1'), restoreNext()];

  expect({ restored, rotated, left: left(), size: directory.size, told: directory.apply('settle') }).toMatchObject({
    told: undefined,
    restored: [{ type: 'shape.reserved', handle: '1-1' }, { type: 'shape.started' }, { type: 'shapes.restored', count: 1 }],
    rotated: ["title = 'half'", "title = '2-1'"],
    left: ['1-1'],
    size: 1,
  });
});

test('of a stored shape that was dropped nothing is kept', async () => {
  const [empty, { shapes, directory, restoreNext }] = [directoryOn(memoryStorage().shapes), await storedShapes()];
  shapes.create('9-1' as Handle, shapeOf({ where: { column: 'title', equals: 'half' } }));
  entered(empty).apply({ type: 'restMore' });
  restoreNext();

  expect(directory.key()).toBe(empty.key());
});

test('a stored shape that depends on one that is not stored is dropped, with those that depend on it', async () => {
  const { restore, left } = await storedShapes(['1-1'], ['2-1', '9-1'], ['3-1', '2-1']);
  restore('1-1');

  expect(left()).toEqual(['1-1']);
});

test('who is condemned takes along all who depend on it, at once, and each is gone when its own Consumer is', async () => {
  const { directory, rotated, restore, restoreNext, down, left } = await storedShapes(['1-1'], ['2-1', '1-1'], ['3-1', '2-1', '1-1']);
  restore('1-1', '2-1', '3-1');
  restoreNext();

  const condemned = directory.apply({ type: 'condemn', handle: '1-1' as Handle, why: 'asked', replyTo: FIRST });
  const told = [...rotated];
  const gone = ['1-1', '3-1', '2-1'].map((handle) => [down(handle, { shutdown: { delete: 'asked' } }), left().length]);

  expect({ condemned, told, gone }).toMatchObject({
    condemned: { type: 'shape.condemned', handle: '1-1', pids: ['consumer#1-1', 'consumer#2-1', 'consumer#3-1'] },
    told: ["title = '1-1'", "title = '2-1'", "title = '3-1'"],
    gone: [
      [{ type: 'shape.gone', handle: '1-1', why: 'asked', pids: [] }, 2],
      [{ type: 'shape.gone', handle: '3-1', why: 'asked', pids: [] }, 1],
      [{ type: 'shape.gone', handle: '2-1', why: 'asked', pids: [] }, 0],
    ],
  });
});

test('a dependant that was condemned before is not told to have ended with what it depended on', async () => {
  const { directory, restore, restoreNext, down } = await storedShapes(['1-1'], ['2-1', '1-1'], ['3-1', '1-1']);
  restore('1-1', '2-1', '3-1');
  restoreNext();
  directory.apply({ type: 'condemn', handle: '2-1' as Handle, why: 'asked', replyTo: FIRST });

  expect(down('1-1', 'killed')).toMatchObject({ pids: ['consumer#3-1'], dependantCount: 1 });
});

test('a Consumer that fails ends its own shape and exactly those that depend on it', async () => {
  const { directory, restore, restoreNext, down, left } = await storedShapes(['1-1'], ['2-1', '1-1'], ['3-1']);
  restore('1-1', '3-1', '2-1');
  restoreNext();

  const gone = down('1-1', { error: { name: 'Error', message: 'no' } });

  expect({ gone, left: left(), size: directory.size }).toMatchObject({
    gone: { type: 'shape.gone', handle: '1-1', why: 'crash', pids: ['consumer#2-1'] },
    left: ['2-1', '3-1'],
    size: 1,
  });
});

test('when an inner shape fails, an outer one that is starting ends as soon as it has, and what was still to come is dropped', async () => {
  const { restore, restoreNext, start, down, left } = await storedShapes(['1-1'], ['2-1', '1-1'], ['3-1', '2-1']);
  restore('1-1');
  restoreNext();

  const gone = down('1-1', 'killed');
  const dropped = left();
  const late = [start('2-1'), restoreNext()];

  expect({ gone, dropped, late }).toMatchObject({
    gone: { type: 'shape.gone', handle: '1-1', pids: [] },
    dropped: ['2-1'],
    late: [{ type: 'shape.condemned', handle: '2-1', pids: ['consumer#2-1'] }, { type: 'shapes.restored', count: 0 }],
  });
});

test('a shape whose Consumer is refused takes along those that depend on it', async () => {
  const { directory, restore, restoreNext, down } = await storedShapes(['1-1'], ['2-1', '1-1']);
  restore('1-1', '2-1');
  restoreNext();
  down('1-1', DRAINED);

  const refused = directory.apply({ type: 'refused', handle: '1-1' as Handle, why: 'no room' });

  expect([refused, directory.size]).toMatchObject([{ type: 'shape.refused', handle: '1-1', pids: ['consumer#2-1'] }, 0]);
});

/** Outer shapes that were asked for in this order, each with those that it takes values from. */
function requestedShapes(...edges: readonly (readonly [title: string, ...innerOf: string[]])[]) {
  const { shapes } = memoryStorage();
  const directory = entered(directoryOn(shapes));
  directory.apply({ type: 'restMore' });
  const definitionOf = (title: string) => titled(title, (outer) => edges.find(([each]) => each === outer)?.slice(1) ?? []);
  const handleFor = (title: string) => directory.find(definitionOf(title)) ?? ('' as Handle);
  const reserve = (title: string) => {
    return directory.apply({ type: 'reserve', definition: definitionOf(title), replyTo: `call#${title}` as ReplyTo });
  };
  return {
    directory, shapes, definitionOf, handleFor, reserve,
    start: (title: string) => directory.apply({ type: 'started', handle: handleFor(title), pid: `consumer#${title}` as Pid }),
    down: (title: string, reason: ExitReason) => directory.apply({ type: 'down', pid: `consumer#${title}` as Pid, reason }),
    /** All that is told until nothing is left to tell. */
    settle: () => {
      const told: unknown[] = [];
      for (let next = directory.apply('settle'); next !== undefined; next = directory.apply('settle')) told.push(next);
      return told;
    },
  };
}

test('an outer shape is made with its inner ones, and asked for with their Consumers when all of them are live', () => {
  const { shapes, handleFor, reserve, start, settle } = requestedShapes(['outer', 'left', 'right']);

  const first = [reserve('outer'), ...settle()];
  const [left, right, outer] = ['left', 'right', 'outer'].map(handleFor);
  const told = [start('left'), settle(), start('right'), settle(), start('outer')];

  expect({ first, dependsOn: shapes.get(handleFor('outer'))?.dependsOn, told }).toMatchObject({
    first: [{ type: 'shape.reserved', handle: left, mode: 'create' }, { type: 'shape.reserved', handle: right, mode: 'create' }],
    dependsOn: [left, right],
    told: [
      { type: 'shape.started', handle: left, replies: [] },
      [],
      { type: 'shape.started', handle: right, replies: [] },
      [
        {
          type: 'shape.reserved', handle: outer, mode: 'create',
          dependencies: [
            { handle: left, column: 'id', consumer: 'consumer#left' },
            { handle: right, column: 'id', consumer: 'consumer#right' },
          ],
        },
      ],
      { type: 'shape.started', handle: outer, replies: ['call#outer'] },
    ],
  });
});

test('a reader does not find a new shape before its Consumer is there, but waits for it with the first', () => {
  const { directory, definitionOf, handleFor, reserve, start, settle } = requestedShapes(['outer', 'inner']);
  const find = () => directory.findReadable(definitionOf('outer'));

  reserve('outer');
  const reserved = find();
  reserve('outer');
  start('inner');
  settle();
  const asked = find();
  const told = start('outer');

  expect({ reserved, asked, told, found: find() }).toMatchObject({
    reserved: undefined,
    asked: undefined,
    told: { type: 'shape.started', replies: ['call#outer', 'call#outer'] },
    found: handleFor('outer'),
  });
});

test('two outer shapes with the same inner one share it, and one level comes after the other', () => {
  const { shapes, reserve, start, settle } = requestedShapes(['top', 'middle'], ['other', 'middle'], ['middle', 'bottom']);

  reserve('top');
  reserve('other');
  const perLevel = ['bottom', 'middle'].map((title) => {
    start(title);
    return settle().length;
  });

  expect({ perLevel, stored: [...shapes.all()].length }).toEqual({ perLevel: [1, 2], stored: 4 });
});

test('an outer shape that drained with its inner one is asked for again behind it', async () => {
  const { restore, restoreNext, start, down, directory } = await storedShapes(['1-1'], ['2-1', '1-1']);
  restore('1-1', '2-1');
  restoreNext();

  const told = [down('2-1', DRAINED), start('2-1'), down('1-1', DRAINED), down('2-1', DRAINED), start('1-1'), directory.apply('settle')];

  expect(told).toMatchObject([
    { type: 'shape.reserved', handle: '2-1' },
    { type: 'shape.started' },
    { type: 'shape.reserved', handle: '1-1', mode: 'restore' },
    undefined,
    { type: 'shape.started', handle: '1-1' },
    { type: 'shape.reserved', handle: '2-1', mode: 'restore', dependencies: [{ handle: '1-1', column: 'id', consumer: 'consumer#1-1' }] },
  ]);
});

test('when an inner shape is refused, the outer one that waits for it is gone, and who asked for it hears why', () => {
  const { directory, shapes, handleFor, reserve, settle } = requestedShapes(['outer', 'inner']);
  reserve('outer');
  const outer = handleFor('outer');

  const refused = directory.apply({ type: 'refused', handle: handleFor('inner'), why: 'no room' });

  expect({ refused, told: settle(), stored: [...shapes.all()] }).toMatchObject({
    refused: { type: 'shape.refused', why: 'no room', replies: [], pids: [], dependantCount: 1 },
    told: [{ type: 'shape.gone', handle: outer, why: 'no room', isTold: true, replies: ['call#outer'], hasFailed: false }],
    stored: [],
  });
});

test('why the snapshot of an inner shape failed is the answer to whoever asked for an outer one, also when that is told first', () => {
  const { directory, handleFor, reserve, start, down, settle } = requestedShapes(['early', 'inner'], ['waiting', 'inner', 'other']);
  reserve('early');
  reserve('waiting');
  start('inner');
  settle();
  start('early');
  const handles = ['early', 'waiting'].map(handleFor);
  const error = { code: 'no_table', message: 'no such table' };

  down('early', { shutdown: { delete: 'snapshotFailed' } });
  down('inner', { shutdown: { delete: 'snapshotFailed', error } });

  expect({ failures: handles.map((handle) => directory.failureOf(handle)), told: settle() }).toMatchObject({
    failures: [error, error],
    told: [
      { type: 'shape.gone', handle: handles[1], replies: ['call#waiting'], hasFailed: true },
      { type: 'shapes.condemned', count: 1, why: 'no shape depends on it any more' }, // `other`, on which that one depended too.
    ],
  });
});

test('a thousand shapes with one inner shape start and end with it, in a step each, and one line tells of their end', () => {
  const outer = Array.from({ length: 1_000 }, (_, index) => `outer ${index}`);
  const { directory, handleFor, reserve, start, down, settle } = requestedShapes(...outer.map((title) => [title, 'inner'] as const));
  const asked = outer.flatMap((title) => reserve(title) ?? []);
  start('inner');
  const started = settle();
  outer.forEach(start);

  const inner = handleFor('inner');
  const condemned = directory.apply({ type: 'condemn', handle: inner, why: 'asked', replyTo: FIRST });
  const gone = ['inner', ...outer].map((title) => down(title, { shutdown: { delete: 'asked' } }));

  const untold = gone.filter((message) => message?.['isTold'] === false);
  expect({ asked: asked.length, started: started.length, stopped: condemned?.['pids'], untold, left: settle() }).toEqual({
    asked: 1,
    started: 1_000,
    stopped: ['inner', ...outer].map((title) => `consumer#${title}`),
    untold: [{ type: 'shape.gone', handle: inner, why: 'asked', isTold: false, pids: [], replies: [], dependantCount: 1_000 }],
    left: [],
  });
});

test('inner shapes that nobody asked for go with their last dependant, layer by layer, each group in one line', () => {
  const edges = [['top', 'left', 'right'], ['left', 'deep'], ['other', 'right']] as const;
  const { shapes, directory, handleFor, reserve, start, down, settle } = requestedShapes(...edges);
  reserve('top');
  reserve('other');
  for (const title of ['deep', 'left', 'right', 'top', 'other']) void [settle(), start(title)];
  const end = (title: string) => {
    directory.apply({ type: 'condemn', handle: handleFor(title), why: 'asked', replyTo: FIRST });
    return [down(title, { shutdown: { delete: 'asked' } })?.type, ...settle()];
  };

  const why = 'no shape depends on it any more';
  const told = [end('top'), end('left'), end('other')];
  const last = [end('deep'), end('right')];

  const condemned = (title: string) => ({ type: 'shapes.condemned', pids: [`consumer#${title}`], why, count: 1 });
  expect({ told, last, left: [...shapes.all()] }).toMatchObject({
    told: [['shape.gone', condemned('left')], ['shape.gone', condemned('deep')], ['shape.gone', condemned('right')]],
    last: [['shape.gone'], ['shape.gone']],
    left: [],
  });
});

test.each<[string, readonly string[], readonly string[]]>([
  ['asked for before its dependant', ['inner', 'outer'], ['inner']],
  ['asked for while its dependant was there', ['outer', 'inner'], ['inner']],
  ['on which another depends that came meanwhile', ['outer', 'late'], ['inner', 'late']],
])('an inner shape stays that was %s', (_, asked, left) => {
  const { shapes, directory, handleFor, reserve, start, down, settle } = requestedShapes(['outer', 'inner'], ['late', 'inner']);
  asked.slice(0, 1).forEach(reserve);
  start('inner');
  settle();
  if (asked[0] === 'inner') reserve('outer');
  start('outer');
  directory.apply({ type: 'condemn', handle: handleFor('outer'), why: 'asked', replyTo: FIRST });
  down('outer', { shutdown: { delete: 'asked' } });
  asked.slice(1).filter((title) => title !== 'outer').forEach(reserve);

  expect({ condemned: settle().filter((told) => JSON.stringify(told).includes('condemned')), left: [...shapes.all()].length }).toEqual({
    condemned: [], left: left.length,
  });
});

test('the first reader of an inner shape has to ask for it, and those who come later find it', () => {
  const { directory, definitionOf, handleFor, reserve, start } = requestedShapes(['outer', 'inner']);
  reserve('outer');
  start('inner');
  const inner = handleFor('inner');
  const find = () => directory.findReadable(definitionOf('inner'));

  expect([find(), reserve('inner'), find()]).toEqual([
    undefined, { type: 'shape.found', handle: inner, replyTo: 'call#inner' }, inner,
  ]);
});

test('stored inner shapes go with dependants that do not come back, unless somebody asked for them', async () => {
  const { shapes, restore, restoreNext, left } = await storedShapes(['1-1'], ['2-1', '1-1']);
  const half = titled('half', () => []);
  for (const handle of ['3-1', '4-1', '5-1'] as Handle[]) await snapshotOf(shapes.create(handle, titled(handle, () => []), [], true), []);
  await snapshotOf(shapes.create('6-1' as Handle, titled('6-1', () => []), ['5-1' as Handle], true), []);
  shapes.create('9-1' as Handle, half, ['4-1', '6-1'] as Handle[]);
  shapes.get('4-1' as Handle)?.noteRequest();

  restore('1-1', '4-1', '2-1');

  expect([left(), restoreNext()]).toEqual([['1-1', '2-1', '4-1'], { type: 'shapes.restored', count: 3 }]);
});

test('of two stored shapes of one definition, the one that was condemned when the service ended does not come back', async () => {
  const { shapes } = memoryStorage();
  for (const handle of ['1-1', '2-1'] as Handle[]) await snapshotOf(shapes.create(handle, definition), []);
  const directory = entered(directoryOn(shapes));

  const told = directory.apply({ type: 'restMore' });

  expect({ told, found: directory.find(definition), left: Array.from(shapes.all(), ({ handle }) => handle) }).toMatchObject({
    told: { type: 'shape.reserved', handle: '2-1' }, found: '2-1', left: ['2-1'],
  });
});

test('a shape is told to have started once', () => {
  const { start } = reservedShape();
  start();

  expect(start).toThrow(/^the handle \S+ is live, and does not expect consumer\.started$/);
});

test.each<[string, (shape: ReturnType<typeof reservedShape>) => unknown]>([
  ['deleted', ({ start, condemn, down }) => [start(), condemn(), down({ shutdown: { delete: 'asked' } })]],
  ['refused', ({ directory, handle }) => directory.apply({ type: 'refused', handle, why: 'no' })],
  [
    'started again as often as may be',
    async ({ start, down, completeSnapshot }) => {
      start();
      await completeSnapshot();
      for (let times = 0; times < 8; times += 1) void [down('noproc'), start()];
      down('noproc');
    },
  ],
])('of a shape that was %s nothing is kept', async (_, end) => {
  const shape = reservedShape();
  const empty = directoryOn(shape.shapes);

  await end(shape);

  expect(shape.directory.key()).toBe(empty.key());
});

test('why snapshots failed is kept of the last thousand', () => {
  const directory = directoryOn(memoryStorage().shapes);
  const fail = (index: number) => {
    const failing = shapeOf({ where: { column: 'title', equals: `${index}` } });
    directory.apply({ type: 'reserve', definition: failing, replyTo: FIRST });
    const handle = directory.find(failing) ?? ('' as Handle);
    const pid = `consumer#${index}` as Pid;
    directory.apply({ type: 'started', handle, pid });
    directory.apply({ type: 'down', pid, reason: { shutdown: { delete: 'snapshotFailed', error: `${index}` } } });
    return handle;
  };

  const handles = Array.from({ length: 1_001 }, (_, index) => fail(index));

  expect([0, 1, 1_000].map((index) => directory.failureOf(handles[index] ?? ('' as Handle)))).toEqual([undefined, '1', '1000']);
});

test('why a snapshot failed can be asked after its Consumer', () => {
  const { directory, handle, start, down } = reservedShape();
  start();
  const error = { code: 'no_table', message: 'no such table' };
  down({ shutdown: { delete: 'snapshotFailed', error } });

  expect([directory.failureOf(handle), directory.find(definition)]).toEqual([error, undefined]);
});

test('that an operator was told of missed changes stands in the key, since it is not told again', () => {
  const ends: readonly ExitReason[] = ['killed', { shutdown: { delete: 'replicaIdentity', xid: 7, lsn: '70' } }];

  const keys = ends.map((reason) => {
    const { directory, start, down } = reservedShape();
    start();
    down(reason);
    return directory.key();
  });

  expect(keys[0]).not.toBe(keys[1]);
});

test('of the shapes that one transaction ended, the first tells which changes of their table were missed', () => {
  const directory = directoryOn(memoryStorage().shapes);
  const start = (index: number): Pid => {
    const one = shapeOf({ where: { column: 'title', equals: String(index) } });
    directory.apply({ type: 'reserve', definition: one, replyTo: FIRST });
    const pid = `consumer#${index}` as Pid;
    directory.apply({ type: 'started', handle: directory.find(one) ?? ('' as Handle), pid });
    return pid;
  };
  const end = (pid: Pid, why: string, lsn: string): unknown =>
    directory.apply({ type: 'down', pid, reason: { shutdown: { delete: why, xid: 7, lsn } } })?.['missed'];
  const [one = PID, two = PID, three = PID, four = PID] = [1, 2, 3, 4].map(start);

  const told = [
    end(one, 'truncate', '60'),
    end(two, 'replicaIdentity', '70'),
    end(three, 'replicaIdentity', '70'),
    end(four, 'transactionTooLarge', '80'),
  ];

  const table = { schema: 'public', name: 'items' };
  expect(told).toEqual([
    undefined,
    { table, why: 'replicaIdentity', xid: 7, lsn: '70' },
    undefined,
    { table, why: 'transactionTooLarge', xid: 7, lsn: '80' },
  ]);
});

test('a shape that went because its filter has an error in a row names its table, its filter and the error', () => {
  const directory = directoryOn(memoryStorage().shapes);
  const filtered = shapeOf({ where: { column: 'title', equals: 'x'.repeat(600) } });
  directory.apply({ type: 'reserve', definition: filtered, replyTo: FIRST });
  directory.apply({ type: 'started', handle: directory.find(filtered) ?? ('' as Handle), pid: PID });
  const error = { code: '22012', message: 'division by zero', status: 400 };

  const gone = directory.apply({ type: 'down', pid: PID, reason: { shutdown: { delete: 'filterFailed', error, xid: 7, lsn: '60' } } });

  expect(gone).toMatchObject({
    type: 'shape.gone', why: 'filterFailed', failedFilter: { table: 'public.items', where: `title = '${'x'.repeat(491)}`, error },
  });
});

test('a shape that went because it was damaged names its table, whoever found the damage; one that was given up before does not', () => {
  const damage: ExitReason = { shutdown: { delete: 'its index is damaged', isDamaged: true } };
  const [byProcess, byReader, late] = [reservedShape(), reservedShape(), reservedShape()];
  for (const shape of [byProcess, byReader, late]) shape.start();
  byReader.directory.apply({ type: 'condemn', handle: byReader.handle, why: 'a piece is damaged', isDamaged: true, replyTo: SECOND });
  late.condemn();

  const gone = { type: 'shape.gone', isTold: false, pids: [], replies: [] };
  expect([byProcess.down(damage), byReader.down(DRAINED), late.down(damage)]).toEqual([
    { ...gone, handle: byProcess.handle, why: 'its index is damaged', damagedTable: 'public.items' },
    { ...gone, handle: byReader.handle, why: 'a piece is damaged', damagedTable: 'public.items' },
    { ...gone, handle: late.handle, why: 'asked' },
  ]);
});
