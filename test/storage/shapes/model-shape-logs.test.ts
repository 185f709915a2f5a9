import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InvariantError } from '../../../src/base/invariant.ts';
import type { LogOffset } from '../../../src/model/log-offset.ts';
import type { LogPosition } from '../../../src/model/log-position.ts';
import { PlacedLines } from '../../../src/model/placed-lines.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { ModelShapeLogs } from '../../support/storage/model-shape-logs.ts';
import { bytes, grow, lsn, pgSnapshot } from '../../support/storage/stored-samples.ts';

type Written = Pick<
  ShapeLog,
  'end' | 'position' | 'waitsAt' | 'filterBy' | 'append' | 'appendAll' | 'publish' | 'leavePace' | 'discard' | 'stopFiltering' |
  'isBrought' | 'leaveBehind' | 'bringAgain' |
  'views' | 'storedViews' | 'placedBehind' | 'nextSplice' | 'beginViews' | 'recordSplice' | 'takeSplice'
>;
type Step = (shape: Written, logs: { advance(position: LogPosition): void }) => unknown;

const position = fc.integer({ min: 0, max: 30 }).map((at) => at as LogPosition);
const views = fc.constantFrom('7_0', '9_0').map((text) => [text as LogOffset]);

const step: fc.Arbitrary<Step> = fc.oneof<fc.Arbitrary<Step>[]>(
  fc.tuple(fc.nat(9), fc.nat(2)).map(([commit, place]) => (shape) => shape.append(lsn(commit), place, bytes('"line"'))),
  fc.tuple(fc.nat(9), fc.uniqueArray(fc.nat(4), { maxLength: 3 })).map(([commit, places]) => (shape) => {
    const lines = places.sort((left, right) => left - right).map((place) => ({ position: place, bytes: bytes('"of several"') }));
    return shape.appendAll(lsn(commit), PlacedLines.of(lines));
  }),
  fc.tuple(position, fc.constantFrom('behind' as const, undefined)).map(([at, pace]) => (shape) => shape.publish(at, pace)),
  position.map((at) => (_, logs) => logs.advance(at)),
  fc.nat(9).map((at) => (shape) => shape.leavePace(lsn(at))),
  fc.nat(9).map((at) => (shape) => shape.discard(lsn(at))),
  fc.nat(9).map((at) => (shape) => shape.leaveBehind(lsn(at))),
  views.map((begun) => (shape) => shape.beginViews(begun)),
  fc.tuple(position, views, fc.constantFrom(null, { ...pgSnapshot, xmax: '99' })).map(([place, moved, asked]) => (shape) => {
    return shape.recordSplice({ place, through: place, views: moved, pgSnapshot: asked, first: shape.end, rows: null });
  }),
  fc.constant<Step>((shape) => shape.takeSplice()),
  fc.constant<Step>((shape) => shape.bringAgain()),
  fc.constant<Step>((shape) => shape.stopFiltering()),
);

function outcome(each: Step, shape: Written, logs: { advance(position: LogPosition): void }): unknown {
  try {
    const told = each(shape, logs);
    const { end, position: at, waitsAt, filterBy, isBrought, views: current, storedViews, placedBehind, nextSplice } = shape;
    return { told, end, at, waitsAt, filterBy, isBrought, current, storedViews, placedBehind, nextSplice };
  } catch (error) {
    if (error instanceof InvariantError) return error.message;
    throw error;
  }
}

test('a shape of the model answers its writer as one of the engine does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
      const storage = memoryStorage();
      await grow(storage, 5);
      const model = new ModelShapeLogs();
      const [shape, modelled] = [storage.shapes, model].map((logs) => logs.create(handleOf(1), shapeOf({})));
      await storage.shapes.get(handleOf(1))?.beginSnapshot(pgSnapshot).complete();
      model.get(handleOf(1))?.takeSnapshot(pgSnapshot);

      expect(steps.map((each) => modelled && outcome(each, modelled, model))).toEqual(
        steps.map((each) => shape && outcome(each, shape, storage.shapes)),
      );
    }),
  );
});
