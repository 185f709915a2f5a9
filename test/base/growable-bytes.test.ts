import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GrowableBytes, textOf } from '../../src/base/growable-bytes.ts';

const step = fc.oneof(
  fc.record({ whole: fc.uint8Array({ maxLength: 20 }) }),
  fc.record({ text: fc.string({ maxLength: 20 }) }),
  fc.record({ range: fc.uint8Array({ maxLength: 700 }), from: fc.nat(700), to: fc.nat(700) }),
  fc.record({ againFrom: fc.nat(100), againTo: fc.nat(100) }),
);

/** Where a range of so many bytes begins and ends. */
function within(size: number, one: number, other: number): readonly [number, number] {
  return [Math.min(one, other, size), Math.min(Math.max(one, other), size)];
}

test('what is appended comes behind what was there, whatever it was copied from', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const out = new GrowableBytes(16);
      let expected = Buffer.alloc(0);
      const put = (bytes: Uint8Array): void => void (expected = Buffer.concat([expected, bytes]));
      for (const each of steps) {
        if ('whole' in each) {
          out.appendBytes(each.whole);
          put(each.whole);
        } else if ('text' in each) {
          out.append(textOf(each.text));
          put(Buffer.from(each.text));
        } else if ('range' in each) {
          const [start, end] = within(each.range.length, each.from, each.to);
          out.appendRange(each.range, start, end);
          put(each.range.subarray(start, end));
        } else {
          const [start, end] = within(out.length, each.againFrom, each.againTo);
          out.appendAgain(start, end);
          put(expected.subarray(start, end));
        }
      }
      expect(Buffer.from(out.lend())).toEqual(expected);
    }),
  );
});

test('what was lent is written over, what was taken is not', () => {
  const out = new GrowableBytes(16);
  out.append(textOf('one'));
  const lent = out.lend();
  out.append(textOf('two'));
  const taken = out.take();
  out.append(textOf('six'));
  expect([lent, taken, out.lend()].map((bytes) => Buffer.from(bytes).toString())).toEqual(['six', 'two', 'six']);
});
