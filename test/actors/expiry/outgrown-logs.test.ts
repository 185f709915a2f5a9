/** Which logs have outgrown their rows: by what has to be fetched anew, of a shape and of all that end with it. */
import { expect, test } from 'vitest';
import { OutgrownLogs, ROTATED_MAX, type GrowingShape } from '../../../src/actors/expiry/outgrown-logs.ts';
import { uncopied } from '../../../src/base/fork.ts';
import type { Handle } from '../../../src/model/shape.ts';

type Wish = Partial<Omit<GrowingShape, 'dependsOn'>> & { readonly dependsOn?: readonly string[] };

function look(bytesMax: number, wishes: Readonly<Record<string, Wish>>, roomBytes = Infinity): unknown {
  const shapes = Object.entries(wishes).map(([handle, { dependsOn = [], ...wish }]): GrowingShape => {
    const plain = { handle: handle as Handle, lineBytes: 0, snapshotBytes: 0, snapshot: { state: 'complete' } };
    return { ...plain, ...wish, dependsOn: dependsOn as readonly Handle[] };
  });
  return new OutgrownLogs(bytesMax, { shapes: () => shapes, roomBytes: () => roomBytes, clone: uncopied('a test') }).apply();
}

const takes = (...handles: readonly string[]) => ({ type: 'logs.outgrown', handles, why: expect.stringContaining('--max-shape-log-size') });
const KEPT = { type: 'logs.kept' };
const nested = (lineBytes: number) => ({
  inner: { lineBytes },
  outer: { dependsOn: ['inner'], snapshotBytes: 30 },
  outermost: { dependsOn: ['outer', 'other'] },
  other: { snapshotBytes: 10 },
});

test.each<[string, Readonly<Record<string, Wish>>, unknown]>([
  ['none below the bound', { '1-1': { lineBytes: 99 }, '2-2': { lineBytes: 0 } }, KEPT],
  ['those at the bound, the longest first', { '1-1': { lineBytes: 100 }, '2-2': { lineBytes: 130 } }, takes('2-2', '1-1')],
  ['none that is less than eight times its rows', { '1-1': { lineBytes: 799, snapshotBytes: 100 } }, KEPT],
  ['one that is', { '1-1': { lineBytes: 800, snapshotBytes: 100 } }, takes('1-1')],
  ['none whose rows are being fetched', { '1-1': { lineBytes: 900, snapshot: { state: 'writing' } } }, KEPT],
  ['an inner one for eight times all rows that are fetched with it, and not before', nested(319), KEPT],
  ['an inner one at that', nested(320), takes('inner')],
  [
    'an inner one at a sixteenth of the bound more for each that ends with it, whose rows may be few',
    { '1-1': { lineBytes: 112 }, '2-2': { lineBytes: 112 }, '3-3': { dependsOn: ['1-1'] }, '4-4': { dependsOn: ['1-1'] } },
    takes('2-2'),
  ],
  [
    'an outer one by itself and what it depends on, which may go with it',
    { '1-1': { lineBytes: 112, dependsOn: ['2-2'] }, '2-2': { snapshotBytes: 14 }, '3-3': { lineBytes: 111, dependsOn: ['2-2'] } },
    takes('1-1'),
  ],
])('of the logs are rotated: %s', (_, shapes, expected) => {
  expect(look(100, shapes)).toEqual(expected);
});

test('where every log is kept, or no shape could be made anew, none is rotated', () => {
  const long = { '1-1': { lineBytes: 1e12 } };

  expect([look(Infinity, long), look(100, long, -Infinity)]).toEqual([KEPT, KEPT]);
});

test('of very many the longest go first, and the others later', () => {
  const wishes = Object.fromEntries(Array.from({ length: ROTATED_MAX + 2 }, (_, index) => [`${index + 1}-1`, { lineBytes: 200 + index }]));
  const { handles } = look(100, wishes) as { handles: readonly string[] };

  expect([handles.length, handles[0], handles.at(-1)]).toEqual([ROTATED_MAX, `${ROTATED_MAX + 2}-1`, '3-1']);
});

test('where there is no room those alone are rotated that leave some', () => {
  const long = { '1-1': { lineBytes: 100 }, '2-2': { lineBytes: 101 } };

  expect(look(100, long, -100)).toEqual(takes('2-2'));
});

test('an inner one of very many is rotated at eight times the bound', () => {
  const outer = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`${index + 10}-1`, { dependsOn: ['1-1'] }]));

  const found = [799, 800].map((lineBytes) => look(100, { '1-1': { lineBytes }, ...outer }));

  expect(found).toEqual([KEPT, takes('1-1')]);
});

test('by who depends on whom it is looked only where a log is long for its own rows', () => {
  let walks = 0;
  const shape = { handle: '1-1' as Handle, dependsOn: [], lineBytes: 799, snapshotBytes: 100, snapshot: { state: 'complete' } };
  const shapes = (): readonly GrowingShape[] => {
    walks += 1;
    return [shape];
  };
  new OutgrownLogs(100, { shapes, roomBytes: () => Infinity, clone: uncopied('a test') }).apply();

  expect(walks).toBe(1);
});
