/** VersionedValues: what shapes that depend on another one ask about the values of columns of it, each at the version that is its view. */
import type { LogOffset } from '../model/log-offset.ts';
import type { Xid } from '../model/pg-snapshot.ts';

/** The values of a column of an inner shape, or row values of several, at each version that somebody still looks at. */
export interface VersionedValues {
  /** How many columns a value is of. */
  readonly width: number;
  /** The last version. */
  readonly offset: LogOffset;
  /** @param value or a mark of a membership (`NULL_MEMBER`). */
  has(value: string, at: LogOffset): boolean;
  /** What came and what went between two versions, once for each value; the same whenever it is asked. */
  movesBetween(after: LogOffset, through: LogOffset): Moved;
  /** The highest version behind `after` with no more than so many moves, and transactions, between; with one transaction at the least. */
  movesThrough(after: LogOffset, valuesMax: number): LogOffset;
}

export interface Moved {
  readonly movedIn: readonly MovedValue[];
  readonly movedOut: readonly MovedValue[];
  readonly xids: readonly Xid[];
}

export interface MovedValue {
  /** The same text for equal values; a row value as `rowMember` has it. */
  readonly value: string;
  /** As Postgres wrote it; of a row value, its parts. */
  readonly text: string;
}
