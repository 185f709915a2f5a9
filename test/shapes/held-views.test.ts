import { expect, test } from 'vitest';
import type { LogOffset } from '../../src/model/log-offset.ts';
import { HeldViews } from '../../src/shapes/held-views.ts';
import { handleOf, shapeOf } from '../support/shapes.ts';

const SHAPE = { handle: handleOf(1), definition: shapeOf({}), dependsOn: [handleOf(2)] };
const views = (text: string) => [text as LogOffset];

test('each reader holds the views that it was told last, until it ends, and none that it is told behind that', () => {
  const held = new HeldViews();
  const [one, other] = [held.reader(SHAPE), held.reader(SHAPE)];
  const kept = () => Array.from(held, ({ storedViews }) => storedViews[0]);
  one.hold(views('10_0'));
  other.hold(views('20_0'));
  one.hold(views('30_0'));
  const both = kept();
  one.end();
  one.hold(views('40_0'));

  expect({ both, left: kept() }).toEqual({ both: ['20_0', '30_0'], left: ['20_0'] });
});
