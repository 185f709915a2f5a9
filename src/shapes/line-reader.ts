/**
 * LineReader: from the line of one row back to its values, for a follower of one column. The counterpart of
 * `ChangeConverter`: what that writes, this reads, and nothing else.
 *
 * The values could be stored beside the lines. But a line is its values, in quotes: that would double the disk of every
 * shape, for the few that are followed. So they are read back here, in this one place, entry by entry; a line is passed over
 * once, and only the texts that are asked for are made. What is not a line of ours is refused, never guessed at.
 */
import { followedColumns } from '../model/followed-columns.ts';
import { UnreadableEntryError } from '../model/log-entry.ts';
import type { Xid } from '../model/pg-snapshot.ts';
import type { RowValues } from '../model/row-values.ts';
import { columnLabel, LINE } from './line-format.ts';
import { LineScan } from './line-scan.ts';
import { OLD_VALUE, operationIn, skipMarks, START, START_OF_OTHERS, VALUE } from './row-line-scan.ts';

const encoder = new TextEncoder();
const COMMA = encoder.encode(',');
const XIDS = encoder.encode(LINE.xids);
const XIDS_END = encoder.encode(LINE.xidsEnd);
const LSN = encoder.encode(LINE.lsn);
const OP_POSITION = encoder.encode(LINE.opPosition);
const LAST = encoder.encode(LINE.last);
const END = encoder.encode(LINE.end);
const NO_XIDS: readonly Xid[] = [];

export class LineReader {
  private readonly labels: readonly Uint8Array[];

  /** @param columns that are followed, as `followedWord` has them. */
  constructor(columns: string) {
    this.labels = followedColumns(columns).map(({ name }) => encoder.encode(columnLabel(name)));
  }

  /** @throws {UnreadableEntryError} `line` is none of ours. */
  read(line: Uint8Array): RowValues {
    const scan = new LineScan(line);
    if (!scan.skip(START)) refuseStart(scan);
    const key = scan.text();
    scan.expect(VALUE);
    const values = scan.members(this.labels);
    if (scan.skip(OLD_VALUE)) scan.members([]);
    const operation = operationIn(scan);
    skipMarks(scan); // By which values a row is in the shape is nothing to whoever follows the values of a column.
    const xids = xidsIn(scan);
    const isLast = xids.length > 0 && scan.skip(LAST);
    scan.expect(END);
    scan.end();
    return { operation, key, value: values.length === 1 ? values[0] : values, xids, isLast };
  }
}

/** Passing over an event would lose the rows that it moves: who follows the shape must be told what it met. */
function refuseStart(scan: LineScan): never {
  if (scan.skip(START_OF_OTHERS)) throw new UnreadableEntryError('it is an event or a control, where a row was to be read');
  return scan.refuse();
}

/**
 * Passes over LSN and position too: they say where the transaction lies in Postgres's log, and not where the row lies in this
 * one. None for a row of the snapshot, which has no transaction, nor for one that moved but for the last.
 */
function xidsIn(scan: LineScan): readonly Xid[] {
  if (!scan.skip(XIDS)) return NO_XIDS;
  const xids = [scan.number() as Xid];
  while (scan.skip(COMMA)) xids.push(scan.number() as Xid);
  scan.expect(XIDS_END);
  if (!scan.skip(LSN)) return xids;
  scan.number();
  scan.expect(OP_POSITION);
  scan.number();
  return xids;
}
