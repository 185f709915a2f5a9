/** What a standby says of shapes that another instance makes and ends. */
import { expect, test } from 'vitest';
import type { Handle } from '../../../src/model/shape.ts';
import { viewedLogs, viewedShapes } from '../../../src/service/wiring/standby/view-ports.ts';
import { DiskError, ShapeCorruptError, ShapeReplacedError } from '../../../src/storage/errors.ts';
import { StorageView } from '../../../src/storage/view/storage-view.ts';
import { MemoryDisk } from '../../storage/memory-disk.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const NOW_MICROS = 1_000_000_000_000;

function shapesAt(nowMicros: number) {
  const clock = new ManualClock(nowMicros);
  return viewedShapes(new StorageView(new MemoryDisk().mount(), '/data', clock), clock);
}

test.each([
  ['of a moment ago', NOW_MICROS - 1_000_000, true],
  ['by a clock that is ahead', NOW_MICROS + 1_000_000, true],
  ['older than what is known', NOW_MICROS - 20_000_000, false],
  ['of a time that any checkpoint since would count', NOW_MICROS + 61_000_000, false],
])('a handle %s', (_, born, mayReplace) => {
  const found = `7-${NOW_MICROS - 10_000_000}` as Handle;

  expect(shapesAt(NOW_MICROS).mayReplace(`7-${born}` as Handle, found)).toBe(mayReplace);
});

test('what is no handle replaces none', () => {
  expect(shapesAt(NOW_MICROS).mayReplace('unknown' as Handle, `7-${NOW_MICROS}` as Handle)).toBe(false);
});

test.each([
  ['was removed by who keeps it', new ShapeReplacedError('7-1' as Handle), 'was replaced or ended'],
  ['does not hold', new ShapeCorruptError('7-1' as Handle, 'a checksum'), 'cannot be read by this instance'],
  ['is refused by the disk', new DiskError('read', '/data', new Error('EIO')), 'cannot be read by this instance'],
])('a file that %s is told of as what it is', (_, error, told) => {
  const logs = viewedLogs(new StorageView(new MemoryDisk().mount(), '/data', new ManualClock()));

  expect([logs.elsewhereOf(error), logs.damageOf(error), logs.isStalled(error)]).toEqual([expect.stringContaining(told), undefined, false]);
});

test('what is a mistake of ours stays one', () => {
  const logs = viewedLogs(new StorageView(new MemoryDisk().mount(), '/data', new ManualClock()));

  expect(logs.elsewhereOf(new TypeError('no'))).toBe(undefined);
});
