/**
 * ArrayValue: an array of Postgres, which has up to six dimensions, each with a first subscript of its own; NULLs may be among its
 * items. An empty array has no dimension.
 */
import { EvaluationError } from '../evaluation-error.ts';
import { quoteItem } from './array-literal.ts';
import { trimEnd, trimSpace } from './white-space.ts';

export interface ArrayValue<Item> {
  readonly dimensions: readonly Dimension[];
  /** In the order in which they are written. */
  readonly items: readonly (Item | null)[];
}

export interface Dimension {
  /** At least 1. */
  readonly length: number;
  /** The first subscript. */
  readonly from: number;
}

export const DIMENSIONS_MAX = 6;
/** Postgres holds more; nobody filters by them. */
const ITEMS_MAX = 1_000_000;
const SUBSCRIPT_MAX = 2_147_483_646;
const TEXT_CHARACTERS_MAX = 64 * 1024 * 1024;
const BOUNDS = /^((?:\[[+-]?\d{1,10}(?::[+-]?\d{1,10})?\])+)=(?=\{)/;
const BOUND = /\[([+-]?\d+)(?::([+-]?\d+))?\]/g;
const WHITE = /[ \t\n\v\f\r]/;
const BARE_MARK = /[{}",\\]/g;
const QUOTED_MARK = /["\\]/g;

/** Of one dimension, counted from 1. */
export function listOf<Item>(items: readonly (Item | null)[]): ArrayValue<Item> {
  return { dimensions: items.length === 0 ? [] : [{ length: items.length, from: 1 }], items };
}

/**
 * @param parse gives an item its value; undefined when it is none.
 * @returns undefined when `text` is no array.
 * @throws {EvaluationError} when it has more items than are read.
 */
export function parseArray<Item>(text: string, parse: (item: string) => Item | undefined): ArrayValue<Item> | undefined {
  const written = trimSpace(text);
  const bounds = BOUNDS.exec(written);
  const read = new ArrayReader(written, bounds?.[0].length ?? 0).read();
  if (read === undefined) return undefined;
  const dimensions = bounds === null ? read.lengths.map((length) => ({ length, from: 1 })) : boundsOf(bounds[1] ?? '');
  const isDeclared = dimensions?.length === read.lengths.length && dimensions.every(({ length }, at) => length === read.lengths[at]);
  if (dimensions === undefined || !isDeclared) return undefined;
  const items: (Item | null)[] = [];
  for (const item of read.items) {
    const value = item === null ? null : parse(item);
    if (value === undefined) return undefined;
    items.push(value);
  }
  return { dimensions, items };
}

/** As Postgres writes it. @throws {EvaluationError} when that is longer than anybody filters by. */
export function arrayText<Item>({ dimensions, items }: ArrayValue<Item>, print: (item: Item) => string): string {
  let length = 0;
  const texts = items.map((item) => {
    const text = item === null ? 'NULL' : quoteItem(print(item));
    length += text.length;
    if (length > TEXT_CHARACTERS_MAX) throw new EvaluationError('54000', 'text is too long');
    return text;
  });
  const bounds = dimensions.map(({ from, length }) => `[${from}:${from + length - 1}]`).join('');
  return `${dimensions.some(({ from }) => from !== 1) ? `${bounds}=` : ''}${nested(dimensions, texts)}`;
}

function nested(dimensions: readonly Dimension[], texts: readonly string[]): string {
  const [{ length = 0 } = {}, ...inner] = dimensions;
  if (inner.length === 0) return `{${texts.join(',')}}`;
  const size = texts.length / length;
  return `{${Array.from({ length }, (_, at) => nested(inner, texts.slice(at * size, (at + 1) * size))).join(',')}}`;
}

/** Undefined for bounds that hold nothing. */
function boundsOf(text: string): readonly Dimension[] | undefined {
  const dimensions = [...text.matchAll(BOUND)].map(([, first = '1', last]) => {
    return last === undefined ? { from: 1, length: Number(first) } : { from: Number(first), length: Number(last) - Number(first) + 1 };
  });
  const areHeld = dimensions.every(({ from, length }) => length > 0 && from >= -SUBSCRIPT_MAX - 2 && from + length - 1 <= SUBSCRIPT_MAX);
  return dimensions.length <= DIMENSIONS_MAX && areHeld ? dimensions : undefined;
}

/** Reads the braces: every one of the same depth holds as many. */
class ArrayReader {
  private at: number;
  private readonly text: string;
  private readonly items: (string | null)[] = [];
  private readonly lengths: number[] = [];
  /** How deep the items lie, once one was found. */
  private depth: number | undefined;

  constructor(text: string, at: number) {
    this.text = text;
    this.at = at;
  }

  read(): { readonly lengths: readonly number[]; readonly items: readonly (string | null)[] } | undefined {
    if (this.text.charAt(this.at) !== '{') return undefined;
    const isWhole = this.braces(0) && this.at === this.text.length;
    if (!isWhole) return undefined;
    return { lengths: this.items.length === 0 ? [] : this.lengths, items: this.items };
  }

  /** What one pair of braces holds. */
  private braces(depth: number): boolean {
    if (depth >= DIMENSIONS_MAX) return false;
    this.at += 1;
    this.skipSpace();
    if (this.text.charAt(this.at) === '}') {
      this.at += 1;
      return depth === 0; // Whether an empty one may lie inside of another depends on the version.
    }
    let count = 0;
    for (;;) {
      if (!this.element(depth)) return false;
      count += 1;
      const mark = this.text.charAt(this.at);
      this.at += 1;
      if (mark === '}') return (this.lengths[depth] ??= count) === count;
      if (mark !== ',') return false;
    }
  }

  private element(depth: number): boolean {
    this.skipSpace();
    if (this.text.charAt(this.at) === '{') {
      if (this.depth !== undefined && this.depth <= depth) return false;
      const isRead = this.braces(depth + 1);
      this.skipSpace();
      return isRead;
    }
    this.depth ??= depth;
    if (this.depth !== depth) return false;
    if (this.items.length >= ITEMS_MAX) throw new EvaluationError('54000', `an array of more than ${ITEMS_MAX} items is not supported`);
    const item = this.text.charAt(this.at) === '"' ? this.quoted() : this.bare();
    if (item === undefined) return false;
    this.items.push(item);
    return true;
  }

  private quoted(): string | undefined {
    this.at += 1;
    for (let item = this.runTo(QUOTED_MARK); this.at < this.text.length; item += this.runTo(QUOTED_MARK)) {
      if (this.text.charAt(this.at) === '"') {
        this.at += 1;
        this.skipSpace();
        return item;
      }
      item += this.escaped();
    }
    return undefined;
  }

  private bare(): string | null | undefined {
    let item = '';
    let kept = 0; // White space behind it is not of it, but one that was escaped is.
    let isEscaped = false;
    for (;;) {
      const run = this.runTo(BARE_MARK);
      const { length } = trimEnd(run);
      if (length > 0) kept = item.length + length;
      item += run;
      const mark = this.text.charAt(this.at);
      if (mark !== '\\') {
        if (mark === '' || mark === '{' || mark === '"' || kept === 0) return undefined;
        const value = item.slice(0, kept);
        return !isEscaped && value.toUpperCase() === 'NULL' ? null : value;
      }
      item += this.escaped();
      kept = item.length;
      isEscaped = true;
    }
  }

  /** What stands before the next mark, or before the end. An item may be of megabytes: it is not put together of its characters. */
  private runTo(mark: RegExp): string {
    const from = this.at;
    mark.lastIndex = from;
    this.at = mark.exec(this.text)?.index ?? this.text.length;
    return this.text.slice(from, this.at);
  }

  /** The character behind a backslash. */
  private escaped(): string {
    this.at += 2;
    return this.text.charAt(this.at - 1);
  }

  private skipSpace(): void {
    while (WHITE.test(this.text.charAt(this.at))) this.at += 1;
  }
}
