/**
 * TextHash: HalfSipHash-1-3 (Aumasson and Bernstein) of a text's UTF-16 units, 32 bits under a secret of 64. Whoever does not know the
 * secret finds no texts that collide, so a table by it stays a table whatever somebody writes into a database.
 */
import type { Random } from '../random.ts';

export class TextHash {
  private readonly secret: readonly [number, number];

  constructor(random: Random) {
    const word = (): number => random.below(0x1_0000) * 0x1_0000 + random.below(0x1_0000);
    this.secret = [word() | 0, word() | 0];
  }

  /** @returns a number from 0 to 2³² − 1. */
  of(text: string): number {
    let [v0, v1] = this.secret;
    let v2 = 0x6c796765 ^ v0;
    let v3 = 0x74656462 ^ v1;
    const { length } = text;
    // Two units at a time; the last word has what is left, and the length.
    for (let index = 0; index <= length; index += 2) {
      const isLast = index + 1 >= length;
      const low = index < length ? text.charCodeAt(index) : 0;
      const word = low | ((isLast ? length : text.charCodeAt(index + 1)) << 16);
      v3 ^= word;
      v0 = (v0 + v1) | 0; v1 = (v1 << 5) | (v1 >>> 27); v1 ^= v0; v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0; v3 = (v3 << 8) | (v3 >>> 24); v3 ^= v2;
      v0 = (v0 + v3) | 0; v3 = (v3 << 7) | (v3 >>> 25); v3 ^= v0;
      v2 = (v2 + v1) | 0; v1 = (v1 << 13) | (v1 >>> 19); v1 ^= v2; v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    v2 ^= 0xff;
    for (let round = 0; round < 3; round += 1) {
      v0 = (v0 + v1) | 0; v1 = (v1 << 5) | (v1 >>> 27); v1 ^= v0; v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0; v3 = (v3 << 8) | (v3 >>> 24); v3 ^= v2;
      v0 = (v0 + v3) | 0; v3 = (v3 << 7) | (v3 >>> 25); v3 ^= v0;
      v2 = (v2 + v1) | 0; v1 = (v1 << 13) | (v1 >>> 19); v1 ^= v2; v2 = (v2 << 16) | (v2 >>> 16);
    }
    return (v1 ^ v3) >>> 0;
  }
}
