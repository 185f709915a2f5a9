/**
 * MemberForm: what the followed columns of a row are as a member: the value of a column, or a row value of several.
 *
 * An update of a row may tell some of its columns and not the others, so what a row was is asked for where that is so. And a value may
 * be cast to one that it cannot be: whoever keeps the rows must know of that before it takes one for another.
 */
import type { RowValues } from '../model/row-values.ts';
import { rowMember, rowParts } from '../sql/subqueries/membership.ts';
import type { Key } from '../sql/where.ts';

/** One text for all texts of equal values. @throws {EvaluationError} for a text that cannot be cast to what is compared. */
export type EqualText = (text: string) => string;

export class MemberForm {
  /** Texts are values. */
  readonly isPlain: boolean;

  /**
   * @param equalTexts of each column; undefined for one of which each text is a value by itself.
   * @param isByParts whether row values are looked up by some of their parts, too.
   */
  constructor(
    private readonly equalTexts: readonly (EqualText | undefined)[] = [undefined],
    readonly isByParts = false,
  ) {
    this.isPlain = equalTexts.every((equalText) => equalText === undefined);
  }

  get width(): number {
    return this.equalTexts.length;
  }

  /**
   * What is followed of a row, in one text as Postgres wrote it.
   *
   * @param before what it was.
   * @returns undefined where nothing of it is told.
   */
  textOf(told: RowValues['value'], before: () => Key): Key | undefined {
    if (told === undefined || told === null || typeof told === 'string') return told;
    if (told.every((part) => part === undefined)) return undefined;
    const parts = told.includes(undefined) ? rowParts(before() ?? '[]') : [];
    return rowMember(told.map((part, at) => (part === undefined ? (parts[at] ?? null) : part)));
  }

  /** @param text as `textOf` has it. @throws {EvaluationError} */
  valueOf(text: string): string {
    if (this.isPlain) return text;
    const [only] = this.equalTexts;
    if (this.width === 1) return only?.(text) ?? text;
    return rowMember(rowParts(text).map((part, at) => (part === null ? null : (this.equalTexts[at]?.(part) ?? part))));
  }

  /** Whether it is a row value with a NULL part. @param text or value. */
  hasNullPart(text: string): boolean {
    return this.width > 1 && rowParts(text).includes(null);
  }
}
