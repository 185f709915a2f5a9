/** ShapeMessage: what a shape tells, as a program in the same process gets it: the messages of the wire, as objects. */

/** A row, or a part of one, by column: values as Postgres writes them, null for NULL. */
export type Row = Readonly<Record<string, string | null>>;

/** A change of one row. */
export interface ChangeMessage {
  /** Of the row, the same for as long as the row is in the shape. */
  readonly key: string;
  /** Of an update what has changed, with the primary key; of a delete the primary key; the whole row with `replica: 'full'`. */
  readonly value: Row;
  /** With `replica: 'full'`, of an update: what the columns were that have changed. */
  readonly old_value?: Row;
  /** The others are those of the protocol. */
  readonly headers: { readonly operation: 'insert' | 'update' | 'delete'; readonly [name: string]: unknown };
}

/** A message about the log. Behind `up-to-date` everything was told; `must-refetch` takes all that was told before back. */
export interface ControlMessage {
  /** The others are those of the protocol. */
  readonly headers: { readonly control: 'up-to-date' | 'must-refetch' | 'snapshot-end'; readonly [name: string]: unknown };
}

/** A message of the wire, as an object. */
export type ShapeMessage = ChangeMessage | ControlMessage;
