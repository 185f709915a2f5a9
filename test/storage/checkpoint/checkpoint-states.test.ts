/** What a checkpoint tells of a shape: all of it once, and then what has changed. */
import { expect, test } from 'vitest';
import type { LogOffset } from '../../../src/model/log-offset.ts';
import { LOG_START } from '../../../src/model/log-position.ts';
import { changedState, stateChange } from '../../../src/storage/checkpoint/checkpoint-states.ts';
import { newShape } from '../../../src/storage/shapes/shape-table.ts';
import { SplicedViews } from '../../../src/storage/shapes/spliced-views.ts';
import type { ShapeState } from '../../../src/storage/shapes/stored-shape.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { pgSnapshot } from '../../support/storage/stored-samples.ts';

const created = { definition: shapeOf({}), chunkBytesMax: 100, position: LOG_START, dependsOn: [handleOf(2)], isInner: true } as const;
const state = newShape(handleOf(1), created);
const MOVED = ['7_0' as LogOffset];

/** Names of what is told beside what is told each time. */
function told(now: ShapeState, last: ShapeState | undefined): readonly string[] {
  const known = ['handle', 'end', 'bytes', 'count', 'openBytes', 'position', 'isLagging', 'filterBy'];
  return Object.keys(stateChange(now, last)).filter((name) => !known.includes(name)).sort();
}

test('what does not change is told once, the rest when it changed', () => {
  const views = new SplicedViews(state.views);
  views.publish();
  const unchanged = { ...state, views: views.state };
  views.begin(MOVED);
  const moved = { ...state, views: views.state };
  const requested = { ...moved, isInner: false };

  expect([told(state, undefined), told(unchanged, state), told(moved, state), told(requested, moved)]).toEqual([
    ['chunkBytesMax', 'definition', 'dependsOn', 'isInner', 'snapshot'], [], ['views'], ['isInner'],
  ]);
});

test('what was told one after the other is the state that there was', () => {
  const moved = { ...state, isInner: false, views: { ...state.views, views: MOVED } };
  const states = [state, { ...state, isInner: false }, moved, { ...moved, filterBy: pgSnapshot }];
  const read: (ShapeState | undefined)[] = [];
  states.forEach((each, index) => read.push(changedState(stateChange(each, states[index - 1]), read.at(-1))));

  expect(read).toEqual(states);
});
