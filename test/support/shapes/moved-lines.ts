/** The lines of rows that a splice moves, one by one. */
import type { Tuple } from '../../../src/model/change.ts';
import type { ChangeConverter } from '../../../src/shapes/change-converter.ts';
import { ROW_END } from '../../../src/shapes/line-format.ts';
import type { MoveTeller } from '../../../src/shapes/member-moves.ts';
import type { JudgedViews } from '../../../src/shapes/move-judge.ts';

export function movedLines(
  converter: ChangeConverter,
  rows: Iterable<Tuple>,
  views: JudgedViews,
  teller: MoveTeller,
): readonly Uint8Array[] {
  const lines: Uint8Array[] = [];
  const all = converter.movedLines(rows, converter.moveJudge(views), teller);
  for (let from = 0; from < all.length; from += (lines.at(-1)?.length ?? 0) + 1) lines.push(all.subarray(from, all.indexOf(ROW_END, from)));
  return lines;
}

/** Undefined when nothing happens to the row. */
export function movedLine(converter: ChangeConverter, row: Tuple, views: JudgedViews, teller: MoveTeller): Uint8Array | undefined {
  return movedLines(converter, [row], views, teller)[0];
}
