/**
 * FailedFilter: what an operator reads when a shape ended because its filter has an error in a row, as Postgres has one there.
 *
 * The clients hear the error as soon as they ask for the shape anew, and go no further. But who wrote the row may be somebody else.
 */
import type { Handle } from '../model/shape.ts';
import { note } from './journal.ts';
import type { SnapshotFault } from './snapshot-fault.ts';

export interface FailedFilter {
  /** With its schema. */
  readonly table: string;
  /** The beginning of its text. */
  readonly where: string;
  readonly error: SnapshotFault;
}

export const WHERE_CHARACTERS_MAX = 500;

export function failedFilterNote(handle: Handle, { table, where, error: { code, message } }: FailedFilter): ReturnType<typeof note> {
  return note('warn', 'shape.filterFailed', { handle, table, where, error: { code, message }, advice: ADVICE });
}

const ADVICE = 'Who asks for this filter gets 400 while a row has the error: change the row, or the filter. No other filter is concerned.';
