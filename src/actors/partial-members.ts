/**
 * PartialMembers: the row values that have some parts, whatever the others are: what a left side with NULLs is looked for by.
 *
 * They are sorted by each choice of parts as they come. To sort them when somebody asks would hold up everybody for as long as a walk
 * through all of them takes; so whoever will ask says so in the name of the Materializer (`followedWord`), and others keep nothing of it.
 */
import { HashChains } from '../base/packed/hash-chains.ts';
import { TextHash } from '../base/packed/text-hash.ts';
import { systemRandom } from '../base/random.ts';
import type { Key } from '../sql/where.ts';

/** What is undefined may be anything. */
export type Pattern = readonly (Key | undefined)[];

const HASH = new TextHash(systemRandom);

export class PartialMembers {
  /** By the parts that are asked for, as bits: all choices but that of none, and that of all. */
  private sorted: ReadonlyMap<number, HashChains>;

  /** @param width of how many parts a row value is. */
  constructor(private readonly width: number) {
    this.sorted = new Map(Array.from({ length: 2 ** width - 2 }, (_, index) => [index + 1, new HashChains()]));
  }

  /** About so much memory. */
  get bytes(): number {
    let bytes = 0;
    for (const numbers of this.sorted.values()) bytes += numbers.bytes;
    return bytes;
  }

  /** All that have the parts, and perhaps others. */
  of(pattern: Pattern): Iterable<number> {
    return this.sorted.get(bitsOf(pattern))?.of(hashOf(pattern)) ?? [];
  }

  /** @param number of a row value that is not here. */
  add(number: number, parts: readonly Key[]): void {
    for (const [asked, numbers] of this.sorted) numbers.add(hashOf(chosen(parts, asked)), number);
  }

  remove(number: number): void {
    for (const numbers of this.sorted.values()) numbers.delete(number);
  }

  copy(): PartialMembers {
    const copy = new PartialMembers(this.width);
    copy.sorted = new Map(Array.from(this.sorted, ([asked, numbers]) => [asked, numbers.copy()]));
    return copy;
  }
}

/** Whether a row value has the parts that are asked for. */
export function hasParts(parts: readonly Key[], pattern: Pattern): boolean {
  return pattern.every((part, at) => part === undefined || part === parts[at]);
}

function chosen(parts: readonly Key[], asked: number): Pattern {
  return parts.map((part, at) => ((asked >> at) % 2 === 1 ? part : undefined));
}

function bitsOf(pattern: Pattern): number {
  return pattern.reduce((bits: number, part, at) => (part === undefined ? bits : bits + 2 ** at), 0);
}

/** No text of Postgres has the character between two parts. */
function hashOf(pattern: Pattern): number {
  return HASH.of(pattern.map((part) => (part === undefined ? '' : part === null ? '\0' : `=${part}`)).join('\0'));
}
