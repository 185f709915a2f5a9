/** LineFolder: what the lines of a shape say of rows, as far as a compaction asks. Storage knows nothing of how they are written. */
export interface LineFolder {
  /**
   * @returns undefined for a line that tells no row: an event, or a control.
   * @throws {UnreadableEntryError} it is none of ours.
   */
  read(line: Uint8Array): RowLine | undefined;
  /** `later` with what only `earlier` tells. @param earlier an update of the same row with the same marks. */
  fold(earlier: Uint8Array, later: Uint8Array): Uint8Array;
}

export interface RowLine {
  /** Equal for lines of one row, and for no others. */
  readonly key: string;
  readonly operation: 'insert' | 'update' | 'delete';
  /** By which conditions the row is in the shape. */
  readonly marks: string;
}
