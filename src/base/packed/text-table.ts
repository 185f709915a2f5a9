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
/** No place: of a number that is free. */
const NOWHERE = 0xffff_ffff;

export class TextTable {
  private hashes = new NumberColumn();
  private places = new NumberColumn();
  private pages = new TextPages((number, place) => this.places.set(number, place));
  private index = new HashedNumbers((number) => this.hashes.get(number));
  private free: number[] = [];
  /** All numbers that were ever given are below it. */
  private end = 0;

  /** @param keyOf gives one text for all texts that are taken for one: what they are found by. */
  constructor(private readonly keyOf?: (text: string) => string) {}

  get size(): number {
    return this.end - this.free.length;
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
    const number = this.free.pop() ?? this.end;
    if (number === this.end) this.end += 1;
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
    this.free.push(number);
  }

  copy(): TextTable {
    const copy = new TextTable(this.keyOf);
    copy.hashes = this.hashes.copy();
    copy.places = this.places.copy();
    copy.pages = this.pages.copy((number, place) => copy.places.set(number, place));
    copy.index = this.index.copy((number) => copy.hashes.get(number));
    copy.free = [...this.free];
    copy.end = this.end;
    return copy;
  }

  private isKey(number: number, key: string): boolean {
    const place = this.places.get(number);
    return this.keyOf === undefined ? this.pages.isAt(place, key) : this.keyOf(this.pages.textAt(place)) === key;
  }
}
