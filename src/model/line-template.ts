/**
 * LineTemplate: how a row that a query gives becomes a line of a shape's log. Two rows of a shape differ in their values and in nothing
 * else, so all the rest is written down once, and whoever has the values as Postgres sent them can put the line together without anything
 * in between. It is plain data.
 */
export interface LineTemplate {
  /** Up to the first value of the key. */
  readonly start: Uint8Array;
  /** In the order in which they stand in the key. */
  readonly key: readonly KeyPart[];
  /** Between the key and the first label. */
  readonly keyEnd: Uint8Array;
  /** For each column of the row what stands before its value; undefined for one that the line does not tell. */
  readonly labels: readonly (Uint8Array | undefined)[];
  /** Behind the last value, up to the end of the line. */
  readonly end: Uint8Array;
}

export interface KeyPart {
  /** Of the column. */
  readonly index: number;
  /** A snapshot says `true` where the stream says `t`: the first letter is the same key on both paths. */
  readonly isBoolean: boolean;
}

/** What stands in the key around a value, and for NULL. */
export const KEY_TEXT = { start: '/\\"', end: '\\"', null: '/_' } as const;
