/** What becomes of a row of a snapshot that cannot be made into a line. */
import { expect, test } from 'vitest';
import { snapshotTarget } from '../../../src/service/wiring/snapshot-target.ts';
import { ChangeConverter } from '../../../src/shapes/change-converter.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { changeBytes } from '../../support/actors/changes.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, itemsLayout, shapeOf } from '../../support/shapes.ts';
import { isIn, subqueryFilter } from '../../support/shapes/subquery-filter.ts';
import { pgSnapshot } from '../../support/storage/stored-samples.ts';

test('a row at which the evaluator throws ends its snapshot alone', async () => {
  const definition = { ...shapeOf({}), dependencies: [{ shape: shapeOf({}), column: 'id' }] };
  const where = subqueryFilter(['owner'], [[isIn('owner', 0)]]);
  const shapeLog = memoryStorage({ clock: new ManualClock() }).shapes.create(handleOf(1), definition);
  const lines = new ChangeConverter(definition, where, () => itemsLayout, undefined, (text) => text);
  const isMember = (): never => {
    throw new Error('no such version');
  };
  const target = snapshotTarget(shapeLog, lines, where, { views: [], isMember, texts: () => [[]] });
  target.begin(pgSnapshot);
  const rows = changeBytes({ kind: 'insert', new: ['1', 'a', 'ann'], layoutId: 1, position: 0 });

  const ended = target.rows?.as === 'changes' && target.rows.take(rows); // A throw instead would come out where nobody catches it.

  await expect(ended).rejects.toThrow('no such version');
});
