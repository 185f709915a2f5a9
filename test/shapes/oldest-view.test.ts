import { expect, test } from 'vitest';
import type { LogOffset } from '../../src/model/log-offset.ts';
import { oldestView, type Dependant } from '../../src/shapes/oldest-view.ts';
import { handleOf, shapeOf } from '../support/shapes.ts';

const dependant = (columns: readonly string[], storedViews: readonly string[]): Dependant => ({
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
