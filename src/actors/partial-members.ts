/**
 * PartialMembers: the row values that have some parts, whatever the others are: what a left side with NULLs is looked for by.
 *
 * Few shapes ever ask, and each asks by the same parts. So row values are sorted by some parts from the first time on that somebody asks
 * by these: what is kept follows from the members alone.
 */
import { Multimap } from '../shapes/multimap.ts';
import { rowParts, rowPattern } from '../sql/subqueries/membership.ts';
import type { Key } from '../sql/where.ts';

type Pattern = readonly (Key | undefined)[];

export class PartialMembers {
  /** By which parts they ask, as bits. */
  private readonly sorted = new Map<number, Multimap<string, string>>();

  /** @param all the row values that there are; from now on `add` and `remove` tell of the others. */
  of(pattern: Pattern, all: Iterable<string>): Iterable<string> {
    const asked = bitsOf(pattern);
    const known = this.sorted.get(asked) ?? sortedBy(asked, all);
    this.sorted.set(asked, known);
    return known.of(rowPattern(pattern));
  }

  add(member: string): void {
    for (const [asked, members] of this.sorted) members.add(patternOf(member, asked), member);
  }

  remove(member: string): void {
    for (const [asked, members] of this.sorted) members.delete(patternOf(member, asked), member);
  }
}

function sortedBy(asked: number, all: Iterable<string>): Multimap<string, string> {
  const members = new Multimap<string, string>();
  for (const member of all) members.add(patternOf(member, asked), member);
  return members;
}

function patternOf(member: string, asked: number): string {
  return rowPattern(rowParts(member).map((part, at) => ((asked >> at) % 2 === 1 ? part : undefined)));
}

function bitsOf(pattern: Pattern): number {
  return pattern.reduce((bits: number, part, at) => (part === undefined ? bits : bits + 2 ** at), 0);
}
