/** Offsets are texts; their order is that of the numbers in them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { lsnFromPostgres, lsnOf } from '../../src/model/lsn.ts';
import {
  BEFORE_ALL, compareOffsets, offsetOf, parseOffset, SNAPSHOT_END, snapshotChunkEnd, type LogOffset,
} from '../../src/model/log-offset.ts';

const lsn64 = fc.bigInt(0n, (1n << 64n) - 1n);
const position = fc.nat(1_000_000);

test('order follows the LSN, then the position, over the whole 64 bits', () => {
  fc.assert(
    fc.property(lsn64, position, lsn64, position, (leftLsn, left, rightLsn, right) => {
      const expected = leftLsn !== rightLsn ? (leftLsn < rightLsn ? -1 : 1) : Math.sign(left - right);
      expect(Math.sign(compareOffsets(offsetOf(lsnOf(leftLsn), left), offsetOf(lsnOf(rightLsn), right)))).toBe(expected);
    }),
  );
});

test('-1, the chunks, 0_inf and the operations stand in this order', () => {
  const chunkEnds = [0, 2, 10].map(snapshotChunkEnd);
  const inOrder = [BEFORE_ALL, ...chunkEnds, SNAPSHOT_END, '1_0', '1_2', '10_0', '10_inf'];
  const shuffled = [...inOrder].reverse() as LogOffset[];
  expect(shuffled.sort(compareOffsets)).toEqual(inOrder);
});

test('what is written is read back', () => {
  fc.assert(
    fc.property(lsn64, position, (lsn, at) => {
      const offset = offsetOf(lsnOf(lsn), at);
      expect(parseOffset(offset)).toBe(offset);
    }),
  );
});

test.each([
  ['-1', '-1'],
  ['-1_0', '-1'],
  ['0_02', '0_2'],
  ['+12_+3', '12_3'],
  ['0_inf', '0_inf'],
  ['18446744073709551615_0', '18446744073709551615_0'],
])('%s is read as %s', (text, offset) => {
  expect(parseOffset(text)).toBe(offset);
});

test.each(['invalid', '10', '1_2_3', '1_2 ', '10_32.1', '0_-1', '-2_0', '-1_3', '', '18446744073709551616_0', '1_99999999999999999999'])(
  '%j is no offset',
  (text) => {
    expect(parseOffset(text)).toBeUndefined();
  },
);

test('a text of zeros, as long as a request may bring, is no offset, and that is known at once', () => {
  const startMs = systemClock.nowMs();
  const offset = parseOffset('0'.repeat(250_000));
  expect({ offset, isPrompt: systemClock.nowMs() - startMs < 5_000 }).toEqual({ offset: undefined, isPrompt: true });
});

test("Postgres's own notation is read exactly", () => {
  expect([lsnFromPostgres('0/0'), lsnFromPostgres('16/B374D848'), lsnFromPostgres('FFFFFFFF/FFFFFFFF')]).toEqual([
    '0',
    '97500059720',
    '18446744073709551615',
  ]);
});
