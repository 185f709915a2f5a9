/** Where the chunks of a log end, and where its last lines begin, for who looks at no more than these. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Lsn } from '../../../src/model/lsn.ts';
import { PlacedLines } from '../../../src/model/placed-lines.ts';
import { NO_LINES, ShapeLines } from '../../../src/storage/shapes/shape-lines.ts';

const CHUNK_BYTES = 100;

/** Lines of forty bytes, so that a chunk has three. */
function linesOf(count: number): ShapeLines {
  const lines = new ShapeLines(NO_LINES, CHUNK_BYTES);
  for (let lsn = 1; lsn <= count; lsn += 1) lines.append(String(lsn) as Lsn, 0, Buffer.alloc(40, 'x'));
  lines.publish();
  return lines;
}

test('a log that is short is looked at whole, and of a long one the last chunks that fit', () => {
  const lines = linesOf(10);
  expect([1000, 300, 200, 150, 41, 1].map((bytes) => lines.tailFrom(bytes))).toEqual(['0_inf', '3_0', '6_0', '9_0', '9_0', '9_0']);
});

test('what is not published is not looked at', () => {
  const lines = linesOf(2);
  lines.append('3' as Lsn, 0, Buffer.alloc(40, 'x'));
  expect(lines.tailFrom(1)).toBe('0_inf');
});

test('chunks end where they do, whether the lines of a transaction come one by one or together', () => {
  const sizes = fc.array(fc.array(fc.integer({ min: 0, max: 2 * CHUNK_BYTES }), { maxLength: 8 }), { maxLength: 6 });
  fc.assert(
    fc.property(sizes, (transactions) => {
      const [single, together] = [linesOf(0), linesOf(0)];
      for (const [index, each] of transactions.entries()) {
        const lsn = String(index + 1) as Lsn;
        const lines = each.map((size, position) => ({ position, bytes: Buffer.alloc(size, 'x') }));
        for (const { position, bytes } of lines) single.append(lsn, position, bytes);
        together.appendAll(lsn, PlacedLines.of(lines));
      }
      for (const lines of [single, together]) lines.publish();
      expect(together.state).toEqual(single.state);
    }),
  );
});

test('a chunk that only lines fill which are not published is not told of', () => {
  const lines = linesOf(2);
  lines.append('3' as Lsn, 0, Buffer.alloc(40, 'x'));
  expect(lines.state).toEqual(linesOf(2).state);
});
