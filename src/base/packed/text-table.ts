/**
 * TextTable: numbers for texts, and texts for numbers, from 0 on. Of a text that is deleted the number is given to another.
 *
 * There may be millions in one table, and tens of thousands of tables of a few. So a few short texts are kept as they are, in a list that
 * is walked; with more they are packed (`PackedTexts`), under the numbers that they had, until the last of them has gone.
 */
import { invariant } from '../invariant.ts';
import { PackedTexts } from './packed-texts.ts';

/** So many texts of so many characters are few. */
const [FEW_MAX, CHARACTERS_MAX] = [8, 64];
/** What one of them takes beside its characters. */
const BESIDE_BYTES = 24;

type FewTexts = readonly (string | undefined)[];

const NO_TEXTS: FewTexts = [];

export class TextTable {
  /** By their numbers; undefined under one that is free. */
  private few = NO_TEXTS;
  /** All of them, where they are many. */
  private packed: PackedTexts | undefined;

  /** @param keyOf gives one text for all texts that are taken for one: what they are found by. */
  constructor(private readonly keyOf?: (text: string) => string) {}

  get size(): number {
    return this.packed?.size ?? this.few.reduce((count, text) => (text === undefined ? count : count + 1), 0);
  }

  /** About so much memory. */
  get bytes(): number {
    return this.packed?.bytes ?? this.few.reduce((bytes, text) => (text === undefined ? bytes : bytes + BESIDE_BYTES + text.length), 0);
  }

  numberOf(key: string): number | undefined {
    if (this.packed !== undefined) return this.packed.numberOf(key);
    const number = this.few.findIndex((text) => text !== undefined && (this.keyOf === undefined ? text : this.keyOf(text)) === key);
    return number === -1 ? undefined : number;
  }

  /**
   * @param key of the text.
   * @returns that of the text, or of one before it that is taken for it.
   */
  add(text: string, key = text): number {
    return this.packed?.add(text, key) ?? this.numberOf(key) ?? this.addNew(text, key);
  }

  /** Those of all texts, ascending. Between two of them texts may come and go. */
  *numbers(): Iterable<number> {
    for (let number = 0; number < (this.packed?.numbersEnd ?? this.few.length); number += 1) if (this.has(number)) yield number;
  }

  /** As it was when it was added. */
  textOf(number: number): string {
    if (this.packed !== undefined) return this.packed.textOf(number);
    const text = this.few[number];
    invariant(text !== undefined, 'a text that is asked for is there');
    return text;
  }

  delete(number: number): void {
    invariant(this.has(number), 'what is deleted was added');
    if (this.packed === undefined) this.few = this.few.map((text, index) => (index === number ? undefined : text));
    else this.packed.delete(number);
    if (this.size === 0) this.clear();
  }

  copy(): TextTable {
    const copy = new TextTable(this.keyOf);
    copy.few = this.few;
    copy.packed = this.packed?.copy();
    return copy;
  }

  private has(number: number): boolean {
    return this.packed?.has(number) ?? this.few[number] !== undefined;
  }

  private addNew(text: string, key: string): number {
    const { few } = this;
    const free = few.indexOf(undefined);
    const number = free === -1 ? few.length : free;
    if (number < FEW_MAX && text.length <= CHARACTERS_MAX) {
      this.few = free === -1 ? few.concat(text) : few.map((held, index) => (index === number ? text : held));
      return number;
    }
    this.packed = new PackedTexts(this.keyOf, few);
    this.few = NO_TEXTS;
    return this.packed.add(text, key);
  }

  /** Nobody knows a number any more: what was kept for as many as there once were is given back. */
  private clear(): void {
    this.few = NO_TEXTS;
    this.packed = undefined;
  }
}
