/**
 * StateStore: the states that were reached, each a vector of integers, and how each was reached first.
 *
 * All vectors lie in one array, and the table that finds them holds only their numbers: a state costs its integers and some
 * four more, however many there are. Comparing by the vector itself, no two states are ever taken for one.
 */
import { invariant } from '../../../src/base/invariant.ts';

const FIRST_CAPACITY = 1 << 12;
/** The prime of FNV-1a: spreads small integers well enough, and needs one multiplication each. */
const HASH_PRIME = 0x01000193;
/** Half of them stay empty, so that a look-up ends soon. */
const SLOTS_PER_STATE_MIN = 2;
/** As many as the array of vectors can address in any Node. */
const STATES_MAX = 1 << 25;

export class StateStore {
  private vectors: Int32Array;
  private parents = new Int32Array(FIRST_CAPACITY);
  private steps = new Int32Array(FIRST_CAPACITY);
  private slots = new Int32Array(FIRST_CAPACITY * 2).fill(-1);
  private stored = 0;

  /** @param width of each vector. */
  constructor(readonly width: number) {
    this.vectors = new Int32Array(FIRST_CAPACITY * width);
  }

  get count(): number {
    return this.stored;
  }

  get bytes(): number {
    return [this.vectors, this.parents, this.steps, this.slots].reduce((sum, array) => sum + array.byteLength, 0);
  }

  /** @returns whether the state is new; then it is stored, reached from `parent` by its step number `step`. */
  add(vector: Int32Array, parent: number, step: number): boolean {
    if (this.stored * SLOTS_PER_STATE_MIN >= this.slots.length) this.grow();
    const slot = this.slotOf(vector);
    if (this.slots[slot] !== -1) return false;
    invariant(this.stored < STATES_MAX, `a search visits at most ${STATES_MAX} states`);
    this.slots[slot] = this.stored;
    this.vectors.set(vector, this.stored * this.width);
    this.parents[this.stored] = parent;
    this.steps[this.stored] = step;
    this.stored += 1;
    return true;
  }

  vectorOf(state: number): Int32Array {
    return this.vectors.slice(state * this.width, (state + 1) * this.width);
  }

  /** The numbers of the steps that lead from the first state to this one: no other way is shorter. */
  wayTo(state: number): readonly number[] {
    const way: number[] = [];
    for (let at = state; at > 0; at = this.parents[at] ?? 0) way.push(this.steps[at] ?? 0);
    return way.reverse();
  }

  private slotOf(vector: Int32Array): number {
    const mask = this.slots.length - 1;
    let slot = hashOf(vector) & mask;
    for (;;) {
      const state = this.slots[slot] ?? -1;
      if (state === -1 || this.isAt(state, vector)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  private isAt(state: number, vector: Int32Array): boolean {
    const begin = state * this.width;
    for (let index = 0; index < this.width; index += 1) if (this.vectors[begin + index] !== vector[index]) return false;
    return true;
  }

  private grow(): void {
    this.vectors = larger(this.vectors);
    this.parents = larger(this.parents);
    this.steps = larger(this.steps);
    this.slots = new Int32Array(this.slots.length * 2).fill(-1);
    for (let state = 0; state < this.stored; state += 1) this.slots[this.slotOf(this.vectorOf(state))] = state;
  }
}

function larger(array: Int32Array): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(array.length * 2);
  copy.set(array);
  return copy;
}

function hashOf(vector: Int32Array): number {
  let hash = vector.length;
  for (const part of vector) {
    hash = Math.imul(hash ^ part, HASH_PRIME);
    hash ^= hash >>> 15;
  }
  return hash >>> 1;
}
