/**
 * HashChains: numbers that stand together by a hash, however many do. Of each hash one number is found, and the others hang on it. A number
 * costs some 20 bytes outside of the heap, and comes and goes at the cost of itself.
 */
import { HashedNumbers } from './hashed-numbers.ts';
import { NumberColumn } from './number-column.ts';

/** A hash, two links, and a slot in a bucket that is half full. */
const NUMBER_BYTES = 20;
const NOBODY = 0;

export class HashChains {
  private hashes = new NumberColumn();
  /** A number and one, or nobody: the one behind, and the one before. */
  private next = new NumberColumn();
  private previous = new NumberColumn();
  private firsts = new HashedNumbers((number) => this.hashes.get(number));
  /** All numbers that were ever here are below it. */
  private end = 0;

  /** About so much memory. */
  get bytes(): number {
    return NUMBER_BYTES * this.end;
  }

  *of(hash: number): Iterable<number> {
    for (let at = (this.firsts.find(hash, () => true) ?? -1) + 1; at !== NOBODY; at = this.next.get(at - 1)) yield at - 1;
  }

  /** @param number that is not here. */
  add(hash: number, number: number): void {
    const first = this.firsts.find(hash, () => true);
    this.hashes.set(number, hash);
    this.end = Math.max(this.end, number + 1);
    if (first === undefined) {
      this.link(NOBODY, number + 1, NOBODY);
      this.firsts.add(hash, number);
    } else this.link(first + 1, number + 1, this.next.get(first));
  }

  /** @param number that is here. */
  delete(number: number): void {
    const [before, behind, hash] = [this.previous.get(number), this.next.get(number), this.hashes.get(number)];
    if (before === NOBODY) this.firsts.delete(hash, number);
    else this.next.set(before - 1, behind);
    if (behind !== NOBODY) this.previous.set(behind - 1, before);
    if (before === NOBODY && behind !== NOBODY) this.firsts.add(hash, behind - 1);
  }

  copy(): HashChains {
    const copy = new HashChains();
    copy.hashes = this.hashes.copy();
    copy.next = this.next.copy();
    copy.previous = this.previous.copy();
    copy.firsts = this.firsts.copy((number) => copy.hashes.get(number));
    copy.end = this.end;
    return copy;
  }

  private link(before: number, at: number, behind: number): void {
    this.previous.set(at - 1, before);
    this.next.set(at - 1, behind);
    if (before !== NOBODY) this.next.set(before - 1, at);
    if (behind !== NOBODY) this.previous.set(behind - 1, at);
  }
}
