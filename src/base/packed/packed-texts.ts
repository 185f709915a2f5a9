/**
 * PackedTexts: what a `TextTable` of many texts, or long ones, has. Some 25 bytes and its characters are all that a text costs, outside of
 * the heap: a million of them are no work for the garbage collector.
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

export class PackedTexts {
  /** Of a number that is free the next one that is. */
  private hashes = new NumberColumn();
  private places = new NumberColumn();
  private pages = this.newPages();
  private index = this.newIndex();
  private firstFree = NOWHERE;
  private freeCount = 0;
  private end = 0;

  /**
   * @param keyOf gives one text for all texts that are taken for one: what they are found by.
   * @param texts that there are, by their numbers; undefined under a number that is free.
   */
  constructor(
    private readonly keyOf: ((text: string) => string) | undefined,
    texts: readonly (string | undefined)[],
  ) {
    for (const text of texts) {
      this.end += 1;
      if (text === undefined) this.free(this.end - 1);
      else this.put(this.end - 1, text, HASH.of(keyOf === undefined ? text : keyOf(text)));
    }
  }

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
    this.put(number, text, hash);
    return number;
  }

  /** All numbers that were ever given are below it. */
  get numbersEnd(): number {
    return this.end;
  }

  has(number: number): boolean {
    return number < this.end && this.places.get(number) !== NOWHERE;
  }

  /** As it was when it was added. */
  textOf(number: number): string {
    return this.pages.textAt(this.places.get(number));
  }

  delete(number: number): void {
    invariant(this.has(number), 'what is deleted was added');
    const place = this.places.get(number);
    this.index.delete(this.hashes.get(number), number);
    this.pages.delete(place);
    this.free(number);
  }

  copy(): PackedTexts {
    const copy = new PackedTexts(this.keyOf, []);
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

  private put(number: number, text: string, hash: number): void {
    this.hashes.set(number, hash);
    this.places.set(number, this.pages.add(number, text));
    this.index.add(hash, number);
  }

  private free(number: number): void {
    this.places.set(number, NOWHERE);
    this.hashes.set(number, this.firstFree);
    this.firstFree = number;
    this.freeCount += 1;
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
