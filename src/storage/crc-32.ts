/**
 * CRC-32 of a part of some bytes, as zlib has it. A call into zlib, and the view that it wants, take longer than the sum of what is short:
 * the header of a frame, an entry of an index. So that is summed here, four bytes at a time.
 */
import { crc32 } from 'node:zlib';

/** From here on zlib is faster. */
const LONG_BYTES = 256;
const POLYNOMIAL = 0xedb8_8320;

/** What a byte makes of the sum, with so many bytes behind it in its word as the number of the table says. */
const [BEHIND_0, BEHIND_1, BEHIND_2, BEHIND_3] = tables();

/**
 * @param before the sum of what lies before these.
 * @returns an unsigned number.
 */
export function crcOf(bytes: Uint8Array, start: number, end: number, before = 0): number {
  return end - start < LONG_BYTES ? shortCrc(bytes, start, end, before) : crc32(bytes.subarray(start, end), before);
}

/** The same of four bytes, the lowest first. */
export function crcOfWord(word: number, before: number): number {
  return ~withWord(~before ^ word) >>> 0;
}

function shortCrc(bytes: Uint8Array, start: number, end: number, before: number): number {
  let sum = ~before;
  let at = start;
  for (const last = end - 4; at <= last; at += 4) {
    // Inside: the caller gave the bounds.
    const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
    sum = withWord(sum ^ (low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)));
  }
  for (; at < end; at += 1) sum = (BEHIND_0[(sum ^ (bytes[at] as number)) & 0xff] as number) ^ (sum >>> 8);
  return ~sum >>> 0;
}

function withWord(word: number): number {
  const low = (BEHIND_3[word & 0xff] as number) ^ (BEHIND_2[(word >>> 8) & 0xff] as number);
  return low ^ (BEHIND_1[(word >>> 16) & 0xff] as number) ^ (BEHIND_0[word >>> 24] as number);
}

function tables(): readonly [Int32Array, Int32Array, Int32Array, Int32Array] {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let sum = byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum & 1) === 0 ? sum >>> 1 : (sum >>> 1) ^ POLYNOMIAL;
    return sum;
  });
  const next = (table: Int32Array): Int32Array => table.map((sum) => (sum >>> 8) ^ (first[sum & 0xff] as number));
  const second = next(first);
  const third = next(second);
  return [first, second, third, next(third)];
}
