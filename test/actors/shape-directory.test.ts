import { expect, test } from 'vitest';
import { ShapeDirectory } from '../../src/actors/shape-directory.ts';
import { LSN_ZERO } from '../../src/model/lsn.ts';
import type { Handle } from '../../src/model/shape.ts';
import type { ExitReason, Pid, ReplyTo } from '../../src/otp/process.ts';
import { memoryStorage } from '../../src/storage/memory-storage.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { itemsLayout, shapeOf } from '../support/shapes.ts';

test('a purge is answered when the last shape has been deleted', () => {
  const clock = new ManualClock();
  const { shapes } = memoryStorage({ clock, chunkBytesMax: 1000 });
  const directory = new ShapeDirectory(shapes, clock, { rotated: () => {} });
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
    return { left: [...shapes.all()].length, answer: directory.apply('countCondemned') };
  });

  expect({ condemned, answers, again: directory.apply('countCondemned') }).toEqual({
    condemned: { type: 'shapes.condemned', pids: processes, why: 'asked', count: 2, relations: ['public.items'] },
    answers: [{ left: 1, answer: undefined }, { left: 0, answer: { type: 'shapes.purged', replies: ['call#2'] } }],
    again: undefined,
  });
});

const definition = shapeOf({});
const PID = 'consumer#1' as Pid;
const FIRST = 'call#1' as ReplyTo;
const SECOND = 'call#2' as ReplyTo;
const THIRD = 'call#3' as ReplyTo;
const DRAINED: ExitReason = { shutdown: 'drain' };

/** A directory with one shape that was asked for. */
function reservedShape() {
  const clock = new ManualClock();
  const { shapes } = memoryStorage({ clock });
  const rotated: Handle[] = [];
  const directory = new ShapeDirectory(shapes, clock, { rotated: (handle) => rotated.push(handle) });
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
    gone: { type: 'shape.gone', handle, why: 'lost', isTold: true },
    left: 0,
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

test('a shape whose Consumer does not start is gone, and all who wait for it hear why', () => {
  const { directory, handle, shapes, rotated } = reservedShape();
  directory.apply({ type: 'reserve', definition, replyTo: SECOND });

  const told = directory.apply({ type: 'refused', handle, why: 'no room' });

  expect({ told, found: directory.find(definition), stored: shapes.get(handle), rotated }).toEqual({
    told: { type: 'shape.refused', handle, why: 'no room', replies: [FIRST, SECOND] },
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

test('the stored shapes are back when the last of them is, also one whose Consumer ended while the others came', async () => {
  const clock = new ManualClock();
  const { shapes } = memoryStorage({ clock });
  const filtered = (equals: string) => shapeOf({ where: { column: 'title', equals } });
  const stored = ['1-1', '2-1'].map((handle) => shapes.create(handle as Handle, filtered(handle)));
  for (const shape of stored) await shape.beginSnapshot({ xmin: '1', xmax: '1', xip: [], insertLsn: LSN_ZERO }).complete();
  const directory = new ShapeDirectory(shapes, clock, { rotated: () => {} });
  const restoreNext = () => directory.apply({ type: 'restoreNext' });
  const start = (handle: string, pid: string) => directory.apply({ type: 'started', handle: handle as Handle, pid: pid as Pid });

  const first = restoreNext();
  start('2-1', 'consumer#2');
  const second = restoreNext();
  const again = directory.apply({ type: 'down', pid: 'consumer#2' as Pid, reason: DRAINED });
  start('1-1', 'consumer#1');
  const early = restoreNext();
  start('2-1', 'consumer#3');

  expect([first, second, again, early, restoreNext()]).toMatchObject([
    { type: 'shape.reserved', handle: '2-1', mode: 'restore' },
    { type: 'shape.reserved', handle: '1-1', mode: 'restore' },
    { type: 'shape.reserved', handle: '2-1', mode: 'restore' },
    undefined,
    { type: 'shapes.restored', count: 2 },
  ]);
});

test('a stored shape with half a snapshot is dropped, its readers are told, and the next one comes', async () => {
  const { handle, shapes } = reservedShape();
  const whole = shapes.create('1-1' as Handle, shapeOf({ where: { column: 'title', equals: 'whole' } }));
  await whole.beginSnapshot({ xmin: '1', xmax: '1', xip: [], insertLsn: LSN_ZERO }).complete();
  const rotated: Handle[] = [];
  const directory = new ShapeDirectory(shapes, new ManualClock(), { rotated: (gone) => rotated.push(gone) });

  const restored = [directory.apply({ type: 'restoreNext' }), directory.apply({ type: 'started', handle: '1-1' as Handle, pid: PID })];
  const last = directory.apply({ type: 'restoreNext' });

  expect({ restored, last, stored: shapes.get(handle), rotated }).toMatchObject({
    restored: [{ type: 'shape.reserved', handle: '1-1' }, { type: 'shape.started' }],
    last: { type: 'shapes.restored', count: 1 },
    stored: undefined,
    rotated: [handle],
  });
});

test.each<[string, (shape: ReturnType<typeof reservedShape>) => void]>([
  ['deleted', ({ start, condemn, down }) => void [start(), condemn(), down({ shutdown: { delete: 'asked' } })]],
  ['refused', ({ directory, handle }) => void directory.apply({ type: 'refused', handle, why: 'no' })],
])('of a shape that was %s nothing is kept', (_, end) => {
  const shape = reservedShape();
  const empty = new ShapeDirectory(shape.shapes, new ManualClock(), { rotated: () => {} });

  end(shape);

  expect(shape.directory.key()).toBe(empty.key());
});

test('a copy goes its own way', () => {
  const { directory, handle, start } = reservedShape();
  start();
  directory.apply({ type: 'purge', why: 'asked', replyTo: SECOND });
  const before = directory.key();
  const copy = directory.clone();

  const told = [copy.apply({ type: 'down', pid: PID, reason: { shutdown: { delete: 'asked' } } }), copy.apply('countCondemned')];

  expect({ told, original: directory.key(), isEqual: copy.key() === before }).toEqual({
    told: [{ type: 'shape.gone', handle, why: 'asked', isTold: true }, { type: 'shapes.purged', replies: [SECOND] }],
    original: before,
    isEqual: false,
  });
});

test('why snapshots failed is kept of the last thousand', () => {
  const clock = new ManualClock();
  const directory = new ShapeDirectory(memoryStorage({ clock }).shapes, clock, { rotated: () => {} });
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

test('of the shapes that one transaction ended, the first tells which changes of their table were missed', () => {
  const clock = new ManualClock();
  const directory = new ShapeDirectory(memoryStorage({ clock }).shapes, clock, { rotated: () => {} });
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
