/**
 * MovedRows: what a move of row values does to the left sides that it can concern: those that came or went themselves, and for each of
 * them those that have NULL in place of some of its parts. What `IN` comes to of these in the one view follows from what moved; whether
 * that is a turn is asked of the other view, as of a row. Where something came and something went that both say the same, nothing turns.
 *
 * That is worked out when it is asked for, and once, however many terms ask. Where what is unknown is like what is false, NULLs turn
 * nothing, and nothing is asked.
 */
import { rowMember, rowParts, truthOfIn, withNulls } from '../sql/subqueries/membership.ts';
import { tellsUnknown, type Truth, type Truths } from '../sql/subqueries/truths.ts';
import type { Key } from '../sql/where.ts';
import type { Moved, MovedValue } from './versioned-values.ts';

type Has = (member: string) => boolean;

/** A left side: a row value that moved, with NULL in some of its places. */
interface LeftSide {
  readonly moved: MovedValue;
  readonly parts: readonly Key[];
}

/** What `IN` was and is of it. */
interface Judged {
  readonly left: LeftSide;
  readonly was: Truth;
  readonly is: Truth;
}

/** So many are worked out in one step, and held: of more no list is made. */
export const LEFT_SIDES_MAX = 200_000;

export class MovedRows {
  private readonly movedIn: readonly MovedValue[];
  private readonly movedOut: readonly MovedValue[];
  private readonly known = new Map<string, readonly MovedValue[]>();
  private judged: readonly Judged[] | undefined;
  /** Whether there is a list of the left sides, not too long: a row value with a NULL part concerns those that nobody can list. */
  readonly canBeNamed: boolean;

  /** @param before and `after`: whether there is a member, or what a mark says, in either view. */
  constructor(
    { movedIn, movedOut }: Pick<Moved, 'movedIn' | 'movedOut'>,
    private readonly before: Has,
    private readonly after: Has,
  ) {
    this.movedIn = movedIn.filter(isWhole);
    this.movedOut = movedOut.filter(isWhole);
    const [whole, all] = [this.movedIn.length + this.movedOut.length, movedIn.length + movedOut.length];
    this.canBeNamed = whole === all && whole * 2 ** widthOf(movedIn[0] ?? movedOut[0]) <= LEFT_SIDES_MAX;
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
    return this.judged.filter(({ was, is }) => truths.has(was) !== truth && truths.has(is) === truth).map(({ left }) => toldOf(left));
  }

  private judge(): readonly Judged[] {
    const [came, went] = [leftSidesOf(this.movedIn), leftSidesOf(this.movedOut)];
    const judged: Judged[] = [];
    for (const [value, left] of came) {
      if (!went.has(value)) judged.push({ left, was: truthBy(this.before, left), is: truthOfMoved(left) });
    }
    for (const [value, left] of went) {
      if (!came.has(value)) judged.push({ left, was: truthOfMoved(left), is: truthBy(this.after, left) });
    }
    return judged;
  }
}

function widthOf(moved: MovedValue | undefined): number {
  return moved === undefined ? 0 : rowParts(moved.value).length;
}

function isWhole({ value }: MovedValue): boolean {
  return !rowParts(value).includes(null);
}

/** By what they are as row values. */
function leftSidesOf(moved: readonly MovedValue[]): ReadonlyMap<string, LeftSide> {
  const lefts = new Map<string, LeftSide>();
  for (const each of moved) {
    const whole = rowParts(each.value);
    for (const parts of [whole, ...withNulls(whole)]) lefts.set(rowMember(parts), { moved: each, parts });
  }
  return lefts;
}

/** In the view that has the row value which moved: of one with NULLs it is unknown then, whatever else there is. */
function truthOfMoved({ parts }: LeftSide): Truth {
  return parts.includes(null) ? null : true;
}

function truthBy(has: Has, { parts }: LeftSide): Truth {
  return truthOfIn((_, member) => has(member), 0, parts);
}

function toldOf({ moved, parts }: LeftSide): MovedValue {
  if (!parts.includes(null)) return moved;
  const texts = rowParts(moved.text).map((text, at) => (parts[at] === null ? null : text));
  return { value: rowMember(parts), text: rowMember(texts) };
}
