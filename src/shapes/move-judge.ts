/**
 * MoveJudge: what the filter says of the rows that a query brings for a splice, by the views before it and behind it.
 *
 * With one value many rows move, which differ in nothing that the filter reads: it says the same of them, so it is asked once.
 */
import { invariant } from '../base/invariant.ts';
import type { Tuple } from '../model/change.ts';
import type { Membership } from '../sql/where.ts';
import type { RowJudge, RowMarks } from './row-marks.ts';
import type { RowPlan } from './row-plan.ts';

/** Undefined where the filter leaves the row out. */
export interface JudgedMove {
  readonly was: RowMarks | undefined;
  readonly is: RowMarks | undefined;
}

export interface JudgedViews {
  readonly before: Membership;
  readonly after: Membership;
}

/** So many are remembered, and then all are forgotten. */
const KNOWN_MAX = 1_000;
/** What takes more is not remembered. */
const KEY_CHARACTERS_MAX = 200;

export class MoveJudge {
  /** By what the filter reads of a row. */
  private readonly known = new Map<string, JudgedMove>();
  private readonly places: readonly number[];

  /**
   * @param columns that the filter reads.
   * @param views which say the same whenever they are asked.
   */
  constructor(
    private readonly judge: RowJudge,
    private readonly plan: RowPlan,
    columns: readonly string[],
    private readonly views: JudgedViews,
  ) {
    this.places = columns.map((column) => placeOf(column, plan));
  }

  /** @throws {EvaluationError} the filter has an error in the row. */
  of(row: Tuple): JudgedMove {
    const key = this.places.map((place) => keyOf(row.text(place))).join('\0'); // No text of Postgres has this character.
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const { before, after } = this.views;
    const [was, is] = [before, after].map((isMember) => this.judge.marksIfTaken(row, this.plan, isMember));
    if (key.length <= KEY_CHARACTERS_MAX) this.remember(key, { was, is });
    return { was, is };
  }

  private remember(key: string, judged: JudgedMove): void {
    if (this.known.size >= KNOWN_MAX) this.known.clear();
    this.known.set(key, judged);
  }
}

function placeOf(column: string, { indexOf }: RowPlan): number {
  const place = indexOf.get(column);
  invariant(place !== undefined, 'a filter reads only columns of its table');
  return place;
}

/** NULL is no text, and not the empty one. */
function keyOf(text: string | null): string {
  return text === null ? '' : `v${text}`;
}
