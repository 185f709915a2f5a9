import { expect, test } from 'vitest';
import type { LogOffset } from '../../src/model/log-offset.ts';
import { dependantsBefore, oldestView, type Dependant } from '../../src/shapes/oldest-view.ts';
import { handleOf, shapeOf } from '../support/shapes.ts';

const dependant = (columns: readonly string[], storedViews: readonly string[], index = 9): Dependant => ({
  handle: handleOf(index),
  definition: { ...shapeOf({}), dependencies: columns.map((column) => ({ shape: shapeOf({}), column })) },
  dependsOn: columns.map(() => handleOf(1)),
  storedViews: storedViews as readonly LogOffset[],
});

test.each([
  ['nobody depends on the column', [dependant(['title'], ['7_0'])], undefined],
  ['several do, also twice', [dependant(['owner', 'title'], ['10_0', '1_0']), dependant(['title', 'owner'], ['1_0', '9_2'])], '9_2'],
  ['one has yet to begin with some version', [dependant(['owner'], ['7_0']), dependant(['owner'], [])], '-1'],
])('the oldest view where %s', (_, shapes, oldest) => {
  expect([oldestView(shapes, handleOf(1), 'owner'), oldestView(shapes, handleOf(2), 'owner')]).toEqual([oldest, undefined]);
});

test('those that look at a version before another one are named once, however often they do', () => {
  const shapes = [
    dependant(['owner'], ['7_0'], 2), dependant(['owner', 'owner'], ['1_0', '2_0'], 3),
    dependant(['title'], ['1_0'], 4), dependant(['owner'], [], 5),
  ];

  expect(dependantsBefore('7_0' as LogOffset, shapes, handleOf(1), 'owner')).toEqual([handleOf(3), handleOf(5)]);
});
