import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crcOf, crcOfWord } from '../../src/storage/crc-32.ts';

const sum = fc.integer({ min: 0, max: 2 ** 32 - 1 });

test('a part of some bytes has the sum that zlib gives, however long it is, and whatever lies before', () => {
  fc.assert(
    // One at the least: of bytes that lie nowhere, zlib forgets what lies before.
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 600 }), fc.nat(40), fc.nat(40), sum, (bytes, from, less, before) => {
      const start = Math.min(from, bytes.length);
      const end = Math.max(start, bytes.length - less);
      expect(crcOf(bytes, start, end, before)).toBe(crc32(bytes.subarray(start, end), before));
    }),
  );
});

test('a number has the sum of its four bytes, the lowest first', () => {
  fc.assert(
    fc.property(sum, sum, (word, before) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(word);
      expect(crcOfWord(word, before)).toBe(crc32(bytes, before));
    }),
  );
});
