/**
 * NumberColumn: a number from 0 to 2³² − 1 under each index from 0 on, in four bytes. Under an index that was never written lies 0.
 * It grows by pages, so nothing is copied when there are many, and none is there of which nothing was written.
 */
const PAGE_BITS = 12;
const PAGE_LENGTH = 1 << PAGE_BITS;
const FIRST_LENGTH = 8;

export class NumberColumn {
  private pages: Uint32Array[] = [];
  private byteCount = 0;

  /** Of memory. */
  get bytes(): number {
    return this.byteCount;
  }

  get(index: number): number {
    return this.pages[index >>> PAGE_BITS]?.[index & (PAGE_LENGTH - 1)] ?? 0;
  }

  set(index: number, value: number): void {
    const page = this.pages[index >>> PAGE_BITS];
    const at = index & (PAGE_LENGTH - 1);
    if (page !== undefined && at < page.length) page[at] = value;
    else this.grown(index)[at] = value;
  }

  copy(): NumberColumn {
    const copy = new NumberColumn();
    copy.pages = this.pages.map((page) => page.slice());
    copy.byteCount = this.byteCount;
    return copy;
  }

  private grown(index: number): Uint32Array {
    const number = index >>> PAGE_BITS;
    const page = this.pages[number] ?? [];
    const wider = new Uint32Array(number > 0 ? PAGE_LENGTH : lengthFor(index + 1));
    wider.set(page);
    this.pages[number] = wider;
    this.byteCount += 4 * (wider.length - page.length);
    return wider;
  }
}

function lengthFor(count: number): number {
  let length = FIRST_LENGTH;
  while (length < count) length *= 2;
  return length;
}
