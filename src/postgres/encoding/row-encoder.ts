/** RowEncoder: takes the rows of a query as Postgres sends them, one by one, and gives what has become of them in fragments. */
export interface RowEncoder<Fragment> {
  /** Bytes that have gathered. */
  readonly size: number;
  /** Adds one line of COPY text, its newline included. @throws {RowFormatError} */
  copyLine(bytes: Uint8Array, start: number, lineEnd: number): void;
  /** Adds the row of a DataRow message whose body lies between `start` and `end`. @throws {RowFormatError} */
  dataRow(bytes: Uint8Array, start: number, end: number): void;
  /** What has gathered since the last call. It is the caller's until the next one. */
  take(): Fragment;
}

/** What Postgres sent is not a row of the columns that were asked for. */
export class RowFormatError extends Error {
  override readonly name = 'RowFormatError';
}
