/**
 * TextTable: numbers for texts, and texts for numbers, from 0 on. Of a text that is deleted the number is given to another. Some 25
 * bytes and its characters are all that a text costs, outside of the heap: a million of them are no work for the garbage collector.
 */
import { invariant } from '../invariant.ts';
import { systemRandom } from '../random.ts';
import { HashedNumbers } from './hashed-numbers.ts';
import { NumberColumn } from './number-column.ts';
import { TextHash } from './text-hash.ts';
import { TextPages } from './text-pages.ts';

/** One for the process: which hash a text has shows nowhere, so a replay needs no other source of chance. */
const HASH = new TextHash(systemRandom);
/** What is kept of a text beside its page: its hash, its place, and its slot in a bucket that is half full. */
const BESIDE_BYTES = 16;
/** No place, of a number that is free; and no number. */
const NOWHERE = 0xffff_ffff;

export class TextTable {
  /** Of a number that is free the next one that is. */
  private hashes = new NumberColumn();
  private places = new NumberColumn();
  private pages = this.newPages();
  private index = this.newIndex();
  private firstFree = NOWHERE;
  private freeCount = 0;
  /** All numbers that were ever given are below it. */
  private end = 0;

  /** @param keyOf gives one text for all texts that are taken for one: what they are found by. */
  constructor(private readonly keyOf?: (text: string) => string) {}

  get size(): number {
    return this.end - this.freeCount;
  }

  /** About so much memory. */
  get bytes(): number {
    return this.pages.bytes + BESIDE_BYTES * this.end;
  }

  numberOf(key: string): number | undefined {
    return this.index.find(HASH.of(key), (number) => this.isKey(number, key));
  }

  /**
   * @param key of the text.
   * @returns that of the text, or of one before it that is taken for it.
   */
  add(text: string, key = text): number {
    const hash = HASH.of(key);
    const known = this.index.find(hash, (number) => this.isKey(number, key));
    if (known !== undefined) return known;
    const number = this.newNumber();
    this.hashes.set(number, hash);
    this.places.set(number, this.pages.add(number, text));
    this.index.add(hash, number);
    return number;
  }

  /** Those of all texts, ascending. Between two of them texts may come and go. */
  *numbers(): Iterable<number> {
    for (let number = 0; number < this.end; number += 1) if (this.places.get(number) !== NOWHERE) yield number;
  }

  /** As it was when it was added. */
  textOf(number: number): string {
    return this.pages.textAt(this.places.get(number));
  }

  delete(number: number): void {
    const place = this.places.get(number);
    invariant(number < this.end && place !== NOWHERE, 'what is deleted was added');
    this.index.delete(this.hashes.get(number), number);
    this.places.set(number, NOWHERE);
    this.pages.delete(place);
    this.hashes.set(number, this.firstFree);
    this.firstFree = number;
    this.freeCount += 1;
    if (this.size === 0) this.clear();
  }

  copy(): TextTable {
    const copy = new TextTable(this.keyOf);
    copy.hashes = this.hashes.copy();
    copy.places = this.places.copy();
    copy.pages = this.pages.copy((number, place) => copy.places.set(number, place));
    copy.index = this.index.copy((number) => copy.hashes.get(number));
    copy.firstFree = this.firstFree;
    copy.freeCount = this.freeCount;
    copy.end = this.end;
    return copy;
  }

  private newNumber(): number {
    const number = this.firstFree;
    if (number === NOWHERE) {
      this.end += 1;
      return this.end - 1;
    }
    this.firstFree = this.hashes.get(number);
    this.freeCount -= 1;
    return number;
  }

  /** Nobody knows a number any more: what was kept for as many as there once were is given back. */
  private clear(): void {
    this.hashes = new NumberColumn();
    this.places = new NumberColumn();
    this.pages = this.newPages();
    this.index = this.newIndex();
    this.firstFree = NOWHERE;
    this.freeCount = 0;
    this.end = 0;
  }

  private newPages(): TextPages {
    return new TextPages((number, place) => this.places.set(number, place));
  }

  private newIndex(): HashedNumbers {
    return new HashedNumbers((number) => this.hashes.get(number));
  }

  private isKey(number: number, key: string): boolean {
    const place = this.places.get(number);
    return this.keyOf === undefined ? this.pages.isAt(place, key) : this.keyOf(this.pages.textAt(place)) === key;
  }
}
