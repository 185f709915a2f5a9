/** What Consumers have in common each of them has, also what it could do without. */
import { expect, test } from 'vitest';
import { hiddenLines } from '../../../src/actors/consumer/hidden-lines.ts';
import { LOG_START } from '../../../src/model/log-position.ts';
import { WritingPorts, type CommonPorts } from '../../../src/service/wiring/writing-ports.ts';
import { ChangeConverter } from '../../../src/shapes/change-converter.ts';
import { LogBlocks } from '../../../src/storage/log/log-blocks.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { MovedRows } from '../../../src/storage/shapes/moved-rows.ts';
import { handleOf, itemsLayout, shapeOf } from '../../support/shapes.ts';

test('of all that is the same for Consumers nothing is left out', () => {
  const common: Required<CommonPorts> = {
    valuesOf: () => undefined, delivery: () => undefined, layoutOf: () => itemsLayout, takenByAll: () => LOG_START,
    processedLsn: () => undefined, announce() {}, hidden: hiddenLines(), worked() {},
  };
  const { log, shapes } = memoryStorage();
  const shapeLog = shapes.create(handleOf(1), shapeOf({}));
  const lines = new ChangeConverter(shapeLog.definition, undefined, common.layoutOf);
  const own = [new LogBlocks(log).slot('consumer#1'), new MovedRows().slot('consumer#1')] as const;
  const { valuesOf, delivery, layoutOf, takenByAll, processedLsn, announce, hidden, worked } =
    new WritingPorts(common, shapeLog, lines, ...own);

  expect({ valuesOf, delivery, layoutOf, takenByAll, processedLsn, announce, hidden, worked }).toEqual(common);
});
