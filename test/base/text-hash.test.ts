/** What a table needs of a hash. */
import { expect, test } from 'vitest';
import { TextHash } from '../../src/base/packed/text-hash.ts';
import { seededRandom } from '../../src/base/random.ts';

test('under one secret a text has one hash, and under another one another', () => {
  const [one, same, other] = [1, 1, 2].map((seed) => new TextHash(seededRandom(seed)));
  const texts = ['', 'a', '\0', '\0\0', 'ab', 'ba', 'text', 'Text', '日本'];

  const [hashes, again, others] = [one, same, other].map((hash) => texts.map((text) => hash?.of(text) ?? 0));
  expect({ again, distinct: new Set([...(hashes ?? []), ...(others ?? [])]).size }).toEqual({ again: hashes, distinct: 2 * texts.length });
});

test('hashes of numbers in order are spread as if by chance, in their first and their last bits', () => {
  const hash = new TextHash(seededRandom(3));
  const hashes = Array.from({ length: 64_000 }, (_, index) => hash.of(`${index}`));
  const chiOf = (partOf: (value: number) => number) => {
    const counts = new Array<number>(64).fill(0);
    for (const each of hashes) counts[partOf(each)] = (counts[partOf(each)] ?? 0) + 1;
    return counts.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0);
  };

  // 63 degrees of freedom: beyond 120 by chance once in a hundred thousand.
  expect([chiOf((value) => value >>> 26), chiOf((value) => value & 63)].map((chi) => chi < 120)).toEqual([true, true]);
});
