/**
 * NumberColumn: a number from 0 to 2³² − 1 under each index from 0 on. Under an index that was never written lies 0.
 *
 * There may be millions in one column, in four bytes each: it grows by pages, so nothing is copied when there are many, and none is there
 * of which nothing was written. And there may be tens of thousands of columns of a few: these are a list, which takes much less than a
 * page does, however short.
 */
const PAGE_BITS = 12;
const PAGE_LENGTH = 1 << PAGE_BITS;
const FIRST_LENGTH = 32;
/** Those below this index are few. */
const FEW_MAX = 16;
const FEW_BYTES = 8;

export class NumberColumn {
  /** From 0 on; undefined where they are in pages. */
  private few: number[] | undefined = [];
  private pages: Uint32Array[] | undefined;
  private byteCount = 0;

  /** Of memory. */
  get bytes(): number {
    return this.few === undefined ? this.byteCount : FEW_BYTES * this.few.length;
  }

  get(index: number): number {
    return (this.few === undefined ? this.pages?.[index >>> PAGE_BITS]?.[index & (PAGE_LENGTH - 1)] : this.few[index]) ?? 0;
  }

  set(index: number, value: number): void {
    if (this.few !== undefined) return this.setFew(this.few, index, value);
    const page = this.pages?.[index >>> PAGE_BITS];
    const at = index & (PAGE_LENGTH - 1);
    if (page !== undefined && at < page.length) page[at] = value;
    else this.grown(index)[at] = value;
  }

  copy(): NumberColumn {
    const copy = new NumberColumn();
    copy.few = this.few && [...this.few];
    copy.pages = this.pages?.map((page) => page.slice());
    copy.byteCount = this.byteCount;
    return copy;
  }

  private setFew(few: number[], index: number, value: number): void {
    if (index < few.length) few[index] = value;
    else if (index < FEW_MAX) this.few = few.concat(new Array<number>(index - few.length).fill(0), value); // No longer than it is.
    else this.setMany(few, index, value);
  }

  private setMany(few: readonly number[], index: number, value: number): void {
    this.few = undefined;
    for (const [at, held] of few.entries()) this.set(at, held);
    this.set(index, value);
  }

  private grown(index: number): Uint32Array {
    const number = index >>> PAGE_BITS;
    const pages = (this.pages ??= []);
    const page = pages[number] ?? [];
    const wider = new Uint32Array(number > 0 ? PAGE_LENGTH : lengthFor(index + 1));
    wider.set(page);
    pages[number] = wider;
    this.byteCount += 4 * (wider.length - page.length);
    return wider;
  }
}

function lengthFor(count: number): number {
  let length = FIRST_LENGTH;
  while (length < count) length *= 2;
  return length;
}
