/** PairMemo: what was once computed of two numbers, which is a number again. */
import { larger } from './larger.ts';
import { PairTable } from './pair-table.ts';

const CAPACITY_FIRST = 1 << 10;

export class PairMemo {
  private readonly pairs = new PairTable();
  private values = new Int32Array(CAPACITY_FIRST);

  of(left: number, right: number, compute: () => number): number {
    const known = this.pairs.find(left, right);
    if (known !== -1) return this.values[known] ?? 0;
    const value = compute();
    const id = this.pairs.idOf(left, right); // By now there may be others.
    if (id >= this.values.length) this.values = larger(this.values);
    this.values[id] = value;
    return value;
  }
}
