/**
 * NumberColumn: a number from 0 to 2³² − 1 under each index from 0 on, in four bytes. Under an index that was never written lies 0.
 * It grows by pages, so nothing is copied when there are many.
 */
const PAGE_BITS = 12;
const PAGE_LENGTH = 1 << PAGE_BITS;
const FIRST_LENGTH = 8;

export class NumberColumn {
  private pages: Uint32Array[] = [];

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
    return copy;
  }

  private grown(index: number): Uint32Array {
    const number = index >>> PAGE_BITS;
    for (let each = 0; each < number; each += 1) this.widen(each, PAGE_LENGTH);
    return this.widen(number, number > 0 ? PAGE_LENGTH : lengthFor(index + 1));
  }

  private widen(number: number, length: number): Uint32Array {
    const page = this.pages[number];
    if (page !== undefined && page.length >= length) return page;
    const wider = new Uint32Array(length);
    wider.set(page ?? []);
    this.pages[number] = wider;
    return wider;
  }
}

function lengthFor(count: number): number {
  let length = FIRST_LENGTH;
  while (length < count) length *= 2;
  return length;
}
