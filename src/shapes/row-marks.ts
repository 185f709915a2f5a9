/**
 * RowMarks: what a line says of its row besides the values, by which a client follows subqueries. And RowJudge, which gives them
 * together with the decision whether a shape takes the row: both come from one evaluation of the filter's terms, so a line
 * can never tell conditions by which its row would not be there.
 *
 * Most shapes have no subquery. Their rows have all one mark, which is compared by identity and never written, so that they
 * pay for nothing.
 */
import { invariant } from '../base/invariant.ts';
import type { Tuple } from '../model/change.ts';
import { EvaluationError } from '../sql/evaluation-error.ts';
import type { ColumnText, Membership, SubqueryPlan, Where } from '../sql/where.ts';
import type { RowPlan } from './row-plan.ts';
import { activeConditions, isTaken, tagsOf, type TagHash } from './row-tags.ts';

export interface RowMarks {
  readonly tags: readonly string[];
  readonly active: readonly boolean[];
}

/** Of every row of a shape whose lines tell neither tags nor conditions. */
export const UNMARKED: RowMarks = { tags: [], active: [] };

/** @param left and `right` of rows of one shape. */
export function isSameMarks(left: RowMarks, right: RowMarks): boolean {
  return left === right || (isSameList(left.tags, right.tags) && isSameList(left.active, right.active));
}

export class RowJudge {
  constructor(
    /** Undefined for every row. */
    private readonly where: Where | undefined,
    /** Undefined where rows are not marked. */
    private readonly hash: TagHash | undefined,
  ) {}

  /** @returns undefined when the filter leaves the row out. */
  marksIfTaken(row: Tuple, plan: RowPlan, isMember: Membership | undefined): RowMarks | undefined {
    if (this.where === undefined) return UNMARKED;
    const text = textOf(row, plan);
    const { subqueries } = this.where;
    if (subqueries === undefined) return this.where.evaluate(text) === true ? UNMARKED : undefined;
    const active = this.activeIn(subqueries, text, told(isMember));
    return active !== undefined && isTaken(subqueries, active) ? this.marked(subqueries, text, active) : undefined;
  }

  /** The marks of a row that a query gave: the filter has taken it already. */
  marksOf(row: Tuple, plan: RowPlan, isMember: Membership | undefined): RowMarks {
    const subqueries = this.where?.subqueries;
    if (subqueries === undefined || this.hash === undefined) return UNMARKED;
    const text = textOf(row, plan);
    return this.marked(subqueries, text, activeConditions(subqueries, text, told(isMember)));
  }

  /**
   * A term may have an error in a row although the filter comes to no such term: it stops at what decides. A row that it leaves out
   * so is left out. Of one that it takes each condition must be told.
   *
   * @returns undefined when the filter leaves the row out.
   */
  private activeIn(subqueries: SubqueryPlan, text: ColumnText, isMember: Membership): readonly boolean[] | undefined {
    try {
      return activeConditions(subqueries, text, isMember);
    } catch (error) {
      if (!(error instanceof EvaluationError) || this.where?.evaluate(text, isMember) === true) throw error;
      return undefined;
    }
  }

  private marked(subqueries: SubqueryPlan, text: ColumnText, active: readonly boolean[]): RowMarks {
    return this.hash === undefined ? UNMARKED : { tags: tagsOf(subqueries, text, this.hash), active };
  }
}

function textOf(row: Tuple, { indexOf }: RowPlan): ColumnText {
  return (column) => {
    const index = indexOf.get(column);
    invariant(index !== undefined, 'a filter reads only columns of its table');
    return row.text(index);
  };
}

function told(isMember: Membership | undefined): Membership {
  invariant(isMember !== undefined, 'a filter with subqueries is asked together with what they select');
  return isMember;
}

function isSameList(left: readonly (string | boolean)[], right: readonly (string | boolean)[]): boolean {
  return left.length === right.length && left.every((item, index) => item === right[index]);
}
