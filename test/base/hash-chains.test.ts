/** Numbers by their hashes, against sets of them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HashChains } from '../../src/base/packed/hash-chains.ts';

const HASHES = [0, 1, 0x8000_0000, 0xffff_ffff];
const anyStep = fc.record({ hash: fc.constantFrom(...HASHES), number: fc.nat(40) });

function toldBy(chains: HashChains): readonly (readonly number[])[] {
  return HASHES.map((hash) => [...chains.of(hash)].sort((left, right) => left - right));
}

test('each hash has the numbers that came with it and did not go, and so has a copy, which goes its own way from then on', () => {
  const run = fc.property(fc.array(anyStep, { maxLength: 100 }), (steps) => {
    const [chains, model] = [new HashChains(), new Map<number, number>()];
    const step = (hash: number, number: number): void => {
      // One that is there goes, whatever its hash.
      if (model.delete(number)) return chains.delete(number);
      model.set(number, hash);
      chains.add(hash, number);
    };
    for (const { hash, number } of steps) step(hash, number);
    const [copy, before] = [chains.copy(), toldBy(chains)];
    step(0, 0);
    step(1, 41);

    const held = HASHES.map((hash) => [...model].filter(([, each]) => each === hash).map(([number]) => number));
    const sorted = held.map((numbers) => numbers.sort((left, right) => left - right));
    expect({ now: toldBy(chains), copied: toldBy(copy) }).toEqual({ now: sorted, copied: before });
  });
  fc.assert(run, { numRuns: 300 });
});

test('a million numbers under one hash come and go, each at the cost of itself', () => {
  const chains = new HashChains();
  for (let number = 0; number < 1_000_000; number += 1) chains.add(7, number);
  for (let number = 0; number < 1_000_000; number += 1) if (number % 1_000 !== 0) chains.delete(number);

  expect({ left: [...chains.of(7)].length, bytes: chains.bytes }).toEqual({ left: 1_000, bytes: 20_000_000 });
});
