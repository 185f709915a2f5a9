/** Randomness, as an argument. This file alone asks the machine for it. */
export interface Random {
  /** @returns an integer in `[0, bound)`; `bound` is a positive integer of at most 2^31. */
  below(bound: number): number;
}

export const systemRandom: Random = { below: (bound) => Math.floor(Math.random() * bound) };

/** The same `seed` gives the same sequence, on every machine (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    below(bound) {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
    },
  };
}
