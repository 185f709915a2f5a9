/**
 * StateStore: the states that were reached, each a vector of integers, and how each was reached first.
 *
 * A vector is kept as a tree of pairs: the number of a state stands for two numbers, each of which stands for two, down to the
 * integers. Halves, quarters and eighths of states come again and again, so nearly all that a state costs is the pair at its root.
 */
import { larger } from './larger.ts';
import { PairTable } from './pair-table.ts';

const CAPACITY_FIRST = 1 << 12;

export class StateStore {
  private readonly roots = new PairTable();
  private readonly inner = new PairTable();
  private parents = new Int32Array(CAPACITY_FIRST);
  private steps = new Int32Array(CAPACITY_FIRST);
  /** How many leaves a tree has: a power of two. */
  private readonly leaves: number;
  /** The tree of the state that was read last: node n stands over 2n and 2n + 1, and the leaves come last. */
  private readonly read: Int32Array;
  private readonly made: Int32Array;

  /** @param width of each vector. */
  constructor(private readonly width: number) {
    this.leaves = 1 << Math.max(1, Math.ceil(Math.log2(width)));
    this.read = new Int32Array(2 * this.leaves).fill(-1);
    this.made = new Int32Array(2 * this.leaves);
  }

  get count(): number {
    return this.roots.count;
  }

  get bytes(): number {
    return [this.roots.bytes, this.inner.bytes, this.parents.byteLength, this.steps.byteLength].reduce((sum, each) => sum + each);
  }

  /**
   * A new state is noted as reached from `parent` by its step number `step`. It costs least when it was made of the state that
   * was read last.
   *
   * @returns its number: that of a new one is `count` as it was before.
   */
  add(vector: Int32Array, parent: number, step: number): number {
    const { made, read, inner, leaves, count } = this;
    made.set(vector, leaves);
    for (let node = leaves - 1; node > 1; node -= 1) {
      const [left, right] = [made[2 * node] ?? 0, made[2 * node + 1] ?? 0];
      const isSame = left === read[2 * node] && right === read[2 * node + 1];
      made[node] = isSame ? (read[node] ?? 0) : inner.idOf(left, right);
    }
    const state = this.roots.idOf(made[2] ?? 0, made[3] ?? 0);
    if (state === count) this.note(state, parent, step);
    return state;
  }

  vectorOf(state: number): Int32Array {
    const { read, inner, leaves } = this;
    read[2] = this.roots.leftOf(state);
    read[3] = this.roots.rightOf(state);
    for (let node = 2; node < leaves; node += 1) {
      read[2 * node] = inner.leftOf(read[node] ?? 0);
      read[2 * node + 1] = inner.rightOf(read[node] ?? 0);
    }
    return read.slice(leaves, leaves + this.width);
  }

  /** The numbers of the steps that lead from the first state to this one: no other way is shorter. */
  wayTo(state: number): readonly number[] {
    const way: number[] = [];
    for (let at = state; at > 0; at = this.parents[at] ?? 0) way.push(this.steps[at] ?? 0);
    return way.reverse();
  }

  private note(state: number, parent: number, step: number): void {
    if (state === this.parents.length) {
      this.parents = larger(this.parents);
      this.steps = larger(this.steps);
    }
    this.parents[state] = parent;
    this.steps[state] = step;
  }
}
