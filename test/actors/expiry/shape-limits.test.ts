/** Which shapes a limit takes: the longest unread, and none that is in use, needed by another one, or not there yet. */
import { expect, test } from 'vitest';
import { ShapeLimits, TAKEN_MAX, type LimitedShape, type Limits, type LimitsLook } from '../../../src/actors/expiry/shape-limits.ts';
import { uncopied } from '../../../src/base/fork.ts';
import type { Handle } from '../../../src/model/shape.ts';

interface Wish extends Partial<LimitedShape> {
  /** How long ago it was read. */
  readonly unreadMs: number;
}

const IN_USE_MS = 100;
const NOW_MS = 1_000_000;

/** @param told what onlookers are told. */
function look(limits: Omit<Limits, 'inUseMs'>, wishes: Readonly<Record<string, Wish>>, told: LimitsLook[] = [], canEnd = true): unknown {
  const shapes = Object.entries(wishes).map(([handle, wish]): LimitedShape => {
    return { handle: handle as Handle, dependsOn: [], storedBytes: 10, snapshot: { state: 'complete' }, ...wish };
  });
  const ports = {
    canEnd: () => canEnd,
    noteLook: (found: LimitsLook) => void told.push(found),
    shapes: () => shapes,
    lastReadMs: (handle: Handle) => NOW_MS - (wishes[handle]?.unreadMs ?? 0),
    nowMs: () => NOW_MS,
    clone: uncopied('a test'),
  };
  return new ShapeLimits({ ...limits, inUseMs: IN_USE_MS }, ports).apply();
}

const takes = (handles: readonly string[], why: string) => ({ type: 'limits.exceeded', handles, why: expect.stringContaining(why) });
const KEPT = { type: 'limits.kept' };
const four = { '1-1': { unreadMs: 300 }, '2-2': { unreadMs: 500 }, '3-3': { unreadMs: 50 }, '4-4': { unreadMs: 300 } };

test.each<[string, Omit<Limits, 'inUseMs'>, Readonly<Record<string, Wish>>, unknown]>([
  ['nothing without a limit', {}, four, KEPT],
  ['by age, all that are old enough', { unreadMsMax: 300 }, four, takes(['2-2', '1-1', '4-4'], 'nobody has read it for 0 s')],
  ['by age, none that is in use, however short the age', { unreadMsMax: 40 }, four, takes(['2-2', '1-1', '4-4'], '')],
  ['by number, as many as are too many', { shapesMax: 2 }, four, takes(['2-2', '1-1'], 'more than 2 shapes')],
  ['by number, none that is in use', { shapesMax: 1 }, { ...four, '2-2': { unreadMs: 1 }, '1-1': { unreadMs: 99 } }, takes(['4-4'], '')],
  ['by number, nothing when all are in use', { shapesMax: 1 }, { '1-1': { unreadMs: 1 }, '2-2': { unreadMs: 2 } }, KEPT],
  ['by bytes, until there is room', { bytesMax: 31 }, four, takes(['2-2'], 'reached 31 bytes')],
  ['by bytes, one more where what is left would be all that there may be', { bytesMax: 30 }, four, takes(['2-2', '1-1'], '')],
  ['by bytes, as many as it takes', { bytesMax: 15 }, four, takes(['2-2', '1-1', '4-4'], '')],
  ['none that others depend on', { shapesMax: 3 }, { ...four, '3-3': { unreadMs: 50, dependsOn: ['2-2' as Handle] } }, takes(['1-1'], '')],
  ['none without rows', { shapesMax: 3 }, { ...four, '2-2': { unreadMs: 9e9, snapshot: { state: 'awaited' } } }, takes(['1-1'], '')],
])('a limit takes %s', (_, limits, shapes, expected) => {
  expect(look(limits, shapes)).toEqual(expected);
});

test('of very many those that were unread for longest go first, and the others later', () => {
  const wishes = Object.fromEntries(Array.from({ length: TAKEN_MAX + 2 }, (_, index) => [`${index + 1}-1`, { unreadMs: 200 + index }]));
  const found = look({ unreadMsMax: 200 }, wishes) as { handles: readonly string[] };

  expect([found.handles.length, found.handles[0], found.handles.at(-1)]).toEqual([TAKEN_MAX, `${TAKEN_MAX + 2}-1`, '3-1']);
});

test('a storage that is full of what is in use says so', () => {
  const inUse = { '1-1': { unreadMs: 1, storedBytes: 50 } };

  expect([look({ bytesMax: 49 }, inUse), look({ bytesMax: 50 }, inUse), look({ bytesMax: 51 }, inUse)]).toEqual([
    { type: 'limits.reached', bytes: 50, bytesMax: 49 },
    { type: 'limits.reached', bytes: 50, bytesMax: 50 },
    { type: 'limits.kept' },
  ]);
});

test('onlookers are told what there is, and how many are taken, and why', () => {
  const told: LimitsLook[] = [];
  look({ shapesMax: 2 }, four, told);
  look({ bytesMax: 100 }, four, told);

  expect(told).toEqual([
    { shapes: 4, bytes: 40, taken: { count: 2, why: 'there are more than 2 shapes, and it was unread for longest' } },
    { shapes: 4, bytes: 40 },
  ]);
});

test('while nobody could end them none are named, and onlookers are told of none', () => {
  const told: LimitsLook[] = [];

  expect({ found: look({ shapesMax: 2 }, four, told, false), told }).toEqual({ found: KEPT, told: [] });
});
