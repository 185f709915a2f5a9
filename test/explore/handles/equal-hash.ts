/**
 * EqualHash: texts that differ and have one hash. Handles begin with the hash of what they stand for, so in a world of such
 * definitions nothing but the rest of a handle tells one from another.
 *
 * FNV-1a can be run backwards. So the few letters that are free are met from both sides.
 */
import { fnvHash } from '../../../src/base/fnv-hash.ts';
import { invariant } from '../../../src/base/invariant.ts';

const LETTERS = Array.from('0123456789abcdefghijklmnopqrstuvwxyz');
/** Of the hash's prime, modulo 2^32. */
const INVERSE = 0x359c449b;
/** Of a hash, as many low bits are no part of a handle. */
const UNSEEN_BITS = 5;

/** @returns what must stand between the two for the whole to have the hash of `wanted`, as far as a handle shows it. */
export function withHashOf(wanted: string, before: string, behind: string): string {
  const halves = words(3);
  const ahead = new Map(halves.map((word) => [fnvHash(before + word), word]));
  const shown = (fnvHash(wanted) >>> UNSEEN_BITS) << UNSEEN_BITS;
  for (let unseen = 0; unseen < 1 << UNSEEN_BITS; unseen += 1) {
    const end = undone((shown | unseen) >>> 0, behind);
    for (const word of halves) {
      const met = ahead.get(undone(end, word));
      if (met !== undefined) return met + word;
    }
  }
  invariant(false, 'some word of six letters has the hash');
}

/** The hash before `text` went in. */
function undone(hash: number, text: string): number {
  let before = hash;
  for (let index = text.length - 1; index >= 0; index -= 1) before = Math.imul(before, INVERSE) ^ text.charCodeAt(index);
  return before >>> 0;
}

function words(length: number): readonly string[] {
  return length === 0 ? [''] : words(length - 1).flatMap((word) => LETTERS.map((letter) => word + letter));
}
