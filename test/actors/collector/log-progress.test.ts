/** What an up-to-date message may promise, and who is left behind by it. */
import { expect, test } from 'vitest';
import { LogProgress } from '../../../src/actors/collector/log-progress.ts';
import { uncopied } from '../../../src/base/fork.ts';
import type { LogPosition } from '../../../src/model/log-position.ts';
import type { Lsn } from '../../../src/model/lsn.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { grow } from '../../support/storage/stored-samples.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';

const at = (lsn: number, isCaughtUp: boolean) => ({ position: 0 as LogPosition, lsn: String(lsn) as Lsn, isCaughtUp });

test('the LSN that is promised is one at which the log ended, and only grows', () => {
  const progress = new LogProgress(memoryStorage().shapes);

  const promised = [at(0, true), at(100, false), at(50, true), at(200, false), at(40, true), at(60, true)].map((change) => {
    progress.apply(change);
    return progress.lastProcessedLsn;
  });

  expect(promised).toEqual([undefined, undefined, '50', '50', '50', '60']);
});

test('a shape whose Consumer did not take what all others took stays before it', async () => {
  const storage = memoryStorage();
  const progress = new LogProgress(storage.shapes);
  const shapes = [handleOf(1), handleOf(2)].map((handle) => storage.shapes.create(handle, shapeOf({})));
  for (const shape of shapes) shape.publish(0 as LogPosition);
  const position = await grow(storage, 10);

  progress.apply({ notTaken: [handleOf(1), handleOf(9)] });
  progress.apply({ position, lsn: '10' as Lsn, isCaughtUp: true });

  expect(shapes.map((shape) => shape.position)).toEqual([0, position]);
});

test('a shape that was left behind goes along again once its Consumer has registered and come as far as the others', async () => {
  const storage = memoryStorage();
  const progress = new LogProgress(storage.shapes);
  const shape = storage.shapes.create(handleOf(1), shapeOf({}));
  const seen: unknown[] = [];
  shape.publish(0 as LogPosition);
  progress.apply({ notTaken: [handleOf(1)] });
  for (const commit of [10, 11]) {
    if (commit === 11) progress.apply({ registered: handleOf(1) });
    shape.publish(storage.shapes.position);
    progress.apply({ position: await grow(storage, commit), lsn: '10' as Lsn, isCaughtUp: true });
    seen.push(shape.position === storage.shapes.position);
  }

  expect(seen).toEqual([false, true]);
});

test('a shape that was left behind is overdue when it has not come back by the second look, told of it again or not', () => {
  const storage = memoryStorage();
  const progress = new LogProgress(storage.shapes);
  for (const made of [1, 2, 3].map(handleOf)) storage.shapes.create(made, shapeOf({}));

  const told = [
    progress.apply({ notTaken: [handleOf(1), handleOf(2), handleOf(9)] }),
    progress.apply({ notTaken: [handleOf(3)] }),
    progress.apply('checkReturns'),
    progress.apply({ registered: handleOf(2) }),
    progress.apply({ notTaken: [handleOf(1)] }),
    progress.apply('checkReturns'),
    progress.apply('checkReturns'),
    progress.apply({ notTaken: [handleOf(1)] }),
  ];

  const awaited = { type: 'return.awaited' };
  expect(told).toEqual([
    awaited,
    undefined,
    awaited,
    undefined,
    undefined,
    { type: 'shapes.overdue', handles: [handleOf(1), handleOf(3)] },
    undefined,
    awaited,
  ]);
});

test('while the disk refuses nobody is overdue who may be waiting for it; behind that, a shape has its whole time again', () => {
  const { shapes } = memoryStorage();
  shapes.create(handleOf(1), shapeOf({}));
  const world = { isHeldUp: false };
  const progress = new LogProgress({
    advance: (position) => shapes.advance(position),
    get: (handle) => shapes.get(handle),
    get isHeldUp() {
      return world.isHeldUp;
    },
    clone: uncopied('a test'),
  });
  progress.apply({ notTaken: [handleOf(1)] });
  progress.apply('checkReturns');
  world.isHeldUp = true;
  const meanwhile = [progress.apply('checkReturns'), progress.apply('checkReturns')];
  world.isHeldUp = false;
  const behind = [progress.apply('checkReturns'), progress.apply('checkReturns')];

  const awaited = { type: 'return.awaited' };
  expect({ meanwhile, behind }).toEqual({
    meanwhile: [awaited, awaited], behind: [awaited, { type: 'shapes.overdue', handles: [handleOf(1)] }],
  });
});
