/**
 * MovedRows: what a move of row values does to the left sides that it can concern: those that came or went themselves, and for each of
 * them those that have NULL in place of some of its parts. Whether one has turned is asked of both views, as of a row.
 *
 * That is worked out when it is asked for, and once, however many terms ask. Where what is unknown is like what is false, NULLs turn
 * nothing, and nothing is asked.
 */
import { rowMember, rowParts, truthOfIn, withNulls } from '../sql/subqueries/membership.ts';
import { tellsUnknown, type Truth, type Truths } from '../sql/subqueries/truths.ts';
import type { Moved, MovedValue } from './versioned-values.ts';

type Has = (member: string) => boolean;

/** A left side, and what `IN` was and is of it. */
interface Judged {
  readonly left: MovedValue;
  readonly was: Truth;
  readonly is: Truth;
}

export class MovedRows {
  private readonly movedIn: readonly MovedValue[];
  private readonly movedOut: readonly MovedValue[];
  private readonly known = new Map<string, readonly MovedValue[]>();
  private judged: readonly Judged[] | undefined;
  /** Whether a row value with a NULL part came or went. */
  readonly hasNullMoved: boolean;

  /** @param before and `after`: whether there is a member, or what a mark says, in either view. */
  constructor(
    { movedIn, movedOut }: Pick<Moved, 'movedIn' | 'movedOut'>,
    private readonly before: Has,
    private readonly after: Has,
  ) {
    this.movedIn = movedIn.filter(isWhole);
    this.movedOut = movedOut.filter(isWhole);
    this.hasNullMoved = this.movedIn.length + this.movedOut.length < movedIn.length + movedOut.length;
  }

  /**
   * The left sides, some of them with NULL parts, for which `IN` has come to one of `truths`; or, where `truth` is false, for which it no
   * longer comes to any. They can be named.
   */
  turnedTo(truth: boolean, truths: Truths): readonly MovedValue[] {
    if (!tellsUnknown(truths)) return truths.has(true) === truth ? this.movedIn : this.movedOut;
    const name = [truth, ...[true, false, null].map((each) => truths.has(each))].join();
    const known = this.known.get(name) ?? this.turned(truth, truths);
    this.known.set(name, known);
    return known;
  }

  private turned(truth: boolean, truths: Truths): readonly MovedValue[] {
    this.judged ??= this.judge();
    return this.judged.filter(({ was, is }) => truths.has(was) !== truth && truths.has(is) === truth).map(({ left }) => left);
  }

  private judge(): readonly Judged[] {
    const whole = [...this.movedIn, ...this.movedOut];
    const lefts = new Map([...whole, ...whole.flatMap(withNullParts)].map((left) => [left.value, left]));
    return Array.from(lefts.values(), (left) => {
      const truthBy = (has: Has): Truth => truthOfIn((_, member) => has(member), 0, rowParts(left.value));
      return { left, was: truthBy(this.before), is: truthBy(this.after) };
    });
  }
}

function isWhole({ value }: MovedValue): boolean {
  return !rowParts(value).includes(null);
}

function withNullParts({ value, text }: MovedValue): readonly MovedValue[] {
  const [values, texts] = [withNulls(rowParts(value)), withNulls(rowParts(text))];
  return values.map((parts, at) => ({ value: rowMember(parts), text: rowMember(texts[at] ?? parts) }));
}
