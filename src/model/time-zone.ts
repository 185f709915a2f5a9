/** TimeZone: how far the clocks of a zone are ahead of UTC at any time, as a database says it. Plain JSON: it is stored with shapes. */

/** From `second` on, in UTC since 1970, clocks are `offset` seconds ahead: to the east it is positive. */
export type ClockChange = readonly [second: number, offset: number];

export interface TimeZone {
  /** Before all changes, in seconds. */
  readonly first: number;
  /** Those before the year in which `yearly` begins; in ascending order, each to another offset than before. */
  readonly changes: readonly ClockChange[];
  /** Left out for a zone whose clocks change no more. */
  readonly yearly?: YearlyChanges;
  /** How far clocks are ahead by what they show, where `changes` do not tell: of an abbreviation that has had several meanings. */
  readonly shown?: ShownOffsets;
}

/** Like `TimeZone`, but by what clocks show. */
export interface ShownOffsets {
  readonly first: number;
  readonly changes: readonly ClockChange[];
}

/** What happens every year: it is the same in all years that have as many days and begin with the same day of the week. */
export interface YearlyChanges {
  /** The first year of which `changes` says all; the year before was a regular one too. */
  readonly from: number;
  /** By `yearKind`; seconds are counted from the beginning of the year in UTC. At least one in each. */
  readonly changes: readonly (readonly ClockChange[])[];
}
