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
    const reserved = directory.apply({ type: 'reserve', definition: shapeOf({ where: { column: 'title', equals: where } }), replyTo: reply });
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

  const answers = [condemn(), condemn(THIRD)];
  const found = [directory.find(definition), directory.definitionOf(handle)];
  directory.apply({ type: 'reserve', definition, replyTo: THIRD });

  expect({ answers, found, rotated, isAnother: directory.find(definition) !== handle }).toEqual({
    answers: [
      { type: 'shape.condemned', handle, pids: [PID], replies: [SECOND], why: 'asked' },
      { type: 'shape.unknown', handle, replyTo: THIRD },
    ],
    found: [undefined, undefined],
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

  const [told, again] = [directory.apply({ type: 'condemnShapes', handles, why: 'lost' }), directory.apply({ type: 'condemnShapes', handles, why: 'lost' })];

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

test('a Consumer that drained is started again', async () => {
  const { directory, handle, start, down, completeSnapshot } = reservedShape();
  start();
  await completeSnapshot();

  expect([down(DRAINED), directory.find(definition)]).toMatchObject([{ type: 'shape.reserved', handle, mode: 'restore' }, handle]);
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
  const stored = ['1-1', '2-1'].map((handle, index) => shapes.create(handle as Handle, shapeOf({ where: { column: 'title', equals: `${index}` } })));
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
    end(one, 'truncate', '60'), end(two, 'replicaIdentity', '70'), end(three, 'replicaIdentity', '70'), end(four, 'transactionTooLarge', '80'),
  ];

  const table = { schema: 'public', name: 'items' };
  expect(told).toEqual([
    undefined,
    { table, why: 'replicaIdentity', xid: 7, lsn: '70' },
    undefined,
    { table, why: 'transactionTooLarge', xid: 7, lsn: '80' },
  ]);
});
