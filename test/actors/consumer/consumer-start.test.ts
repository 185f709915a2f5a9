/** With what a Consumer begins: where its shape stands, and what that depends on. */
import { expect, test } from 'vitest';
import { isPortSpec } from '../../../src/otp/process.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { consumers } from '../../../src/supervisors/shapes.ts';
import type { StackWiring } from '../../../src/supervisors/stack-wiring.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { grow } from '../../support/storage/stored-samples.ts';

test('a shape that depends on others is told how far readers may have been shown what comes of the log', async () => {
  const storage = memoryStorage();
  const handle = handleOf(1);
  const shapeLog = storage.shapes.create(handle, shapeOf({}));
  const shownThrough = await grow(storage, 7);
  const shown = Object.defineProperty(Object.create(shapeLog) as typeof shapeLog, 'shownThrough', { value: shownThrough });
  const spec = consumers({
    shapeLog: () => shown,
    tables: {} as StackWiring['tables'],
    takenThrough: () => shownThrough,
    publicationCheckEveryMs: 1,
    shapeHibernateAfterMs: 1,
    shapeDormantAfterMs: 0,
  });
  const dependencies = [{ handle: handleOf(2), column: 'id', consumer: 'consumer#2' }];
  const inputs = [{}, { dependencies }].map((more) => {
    const process = spec.templates['consumer']?.({ type: 'startChild', handle, mode: 'restore', ...more }).start();
    return process !== undefined && !isPortSpec(process) && process.input;
  });

  const { position, end } = shapeLog;
  expect(inputs).toEqual([
    { handle, mode: 'restore', position, end }, { handle, mode: 'restore', position, end, dependencies, shownThrough },
  ]);
});
