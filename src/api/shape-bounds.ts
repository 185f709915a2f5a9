/**
 * ShapeBounds: what a program of one's own has fixed of a request for a shape, whoever sent that. A client chooses within them, and
 * nothing that it sends takes it beyond.
 *
 * - The table is this one, whatever is asked.
 * - Of the columns no others can be selected or named; who chooses none gets all of these.
 * - The rows are those that the filter takes. A filter of the client's own can leave out some of them (`WhereLanguage.narrow`).
 */
import type { WrittenFilter } from '../sql/where.ts';

export interface ShapeBounds {
  readonly table: string | undefined;
  /** Names as they are. Undefined for all; never empty. */
  readonly columns: readonly string[] | undefined;
  readonly filter: WrittenFilter | undefined;
}

/** What the program fixed cannot be: nothing was made or read. It is that program's mistake, so its client hears nothing of it. */
export class BoundsError extends Error {
  override readonly name = 'BoundsError';
}

/** @returns the bounds, undefined where nothing is fixed. */
export function boundsOf(bounds: ShapeBounds): ShapeBounds | undefined {
  const isOpen = bounds.table === undefined && bounds.columns === undefined && bounds.filter === undefined;
  return isOpen ? undefined : bounds;
}
