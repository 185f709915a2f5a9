/**
 * PairTable: a number for each different pair of integers, the next one each time.
 *
 * It lies in two flat arrays, some four integers a pair, so that tens of millions are no matter. Pairs are compared as they
 * are, so no two are ever taken for one.
 */
import { larger } from './larger.ts';

const CAPACITY_FIRST = 1 << 10;
/** Half of the slots stay empty at least, so that a look-up ends soon. */
const SLOTS_PER_PAIR_MIN = 2;

export class PairTable {
  private pairs = new Int32Array(2 * CAPACITY_FIRST);
  private slots = new Int32Array(SLOTS_PER_PAIR_MIN * CAPACITY_FIRST).fill(-1);
  private numbered = 0;

  get count(): number {
    return this.numbered;
  }

  get bytes(): number {
    return this.pairs.byteLength + this.slots.byteLength;
  }

  /** @returns -1 for a pair that has no number. */
  find(left: number, right: number): number {
    return this.slots[this.slotOf(left, right)] ?? -1;
  }

  /** That of a new pair is `count` as it was before. */
  idOf(left: number, right: number): number {
    const slot = this.slotOf(left, right);
    const known = this.slots[slot] ?? -1;
    if (known !== -1) return known;
    const id = this.numbered;
    this.slots[slot] = id;
    this.pairs[2 * id] = left;
    this.pairs[2 * id + 1] = right;
    this.numbered += 1;
    if (this.numbered * SLOTS_PER_PAIR_MIN >= this.slots.length) this.grow();
    return id;
  }

  leftOf(id: number): number {
    return this.pairs[2 * id] ?? 0;
  }

  rightOf(id: number): number {
    return this.pairs[2 * id + 1] ?? 0;
  }

  private slotOf(left: number, right: number): number {
    const { slots, pairs } = this;
    const mask = slots.length - 1;
    for (let slot = hashOf(left, right) & mask; ; slot = (slot + 1) & mask) {
      const id = slots[slot] ?? -1;
      if (id === -1 || (pairs[2 * id] === left && pairs[2 * id + 1] === right)) return slot;
    }
  }

  private grow(): void {
    this.pairs = larger(this.pairs);
    this.slots = new Int32Array(this.slots.length * 2).fill(-1);
    for (let id = 0; id < this.numbered; id += 1) this.slots[this.slotOf(this.leftOf(id), this.rightOf(id))] = id;
  }
}

function hashOf(left: number, right: number): number {
  let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca77);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}
