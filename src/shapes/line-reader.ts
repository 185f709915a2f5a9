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
import { columnLabel, LINE, OPERATIONS, type Operation } from './line-format.ts';
import { LineScan } from './line-scan.ts';

const encoder = new TextEncoder();
/** A string is read with its quotes, which the writer has in the fragments around it. */
const START = encoder.encode(LINE.start.slice(0, -1));
const NO_ROW = encoder.encode(LINE.startOfOthers);
const VALUE = encoder.encode(LINE.value.slice(1));
const OLD_VALUE = encoder.encode(LINE.oldValue);
const HEADERS = encoder.encode(LINE.headers);
const OPERATION_ENDS = OPERATIONS.map((operation) => [operation, encoder.encode(`${operation}${LINE.relation}[`)] as const);
const COMMA = encoder.encode(',');
const CLOSE = encoder.encode(']');
const KEY_CHANGE_TO = encoder.encode(LINE.keyChangeTo.slice(0, -1));
const KEY_CHANGE_FROM = encoder.encode(LINE.keyChangeFrom.slice(0, -1));
const IS_MOVE_IN = encoder.encode(LINE.isMoveIn);
const TAGS = encoder.encode(LINE.tags);
const REMOVED_TAGS = encoder.encode(LINE.removedTags);
const ACTIVE_CONDITIONS = encoder.encode(LINE.activeConditions);
const ACTIVE_CONDITIONS_END = encoder.encode(LINE.activeConditionsEnd);
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
    scan.expect(HEADERS);
    const operation = operationIn(scan);
    skipRelation(scan);
    if (scan.skip(KEY_CHANGE_TO) || scan.skip(KEY_CHANGE_FROM)) scan.skipString();
    scan.skip(IS_MOVE_IN);
    skipMarks(scan);
    const xids = xidsIn(scan);
    const isLast = xids.length > 0 && scan.skip(LAST);
    scan.expect(END);
    scan.end();
    return { operation, key, value: values.length === 1 ? values[0] : values, xids, isLast };
  }
}

function operationIn(scan: LineScan): Operation {
  for (const [operation, text] of OPERATION_ENDS) if (scan.skip(text)) return operation;
  return scan.refuse();
}

/** Schema and name, in a list that has begun. */
function skipRelation(scan: LineScan): void {
  scan.skipString();
  scan.expect(COMMA);
  scan.skipString();
  scan.expect(CLOSE);
}

/** By which values a row is in the shape is nothing to whoever follows the values of a column. */
function skipMarks(scan: LineScan): void {
  if (!scan.skip(TAGS)) return;
  scan.skipStrings();
  if (scan.skip(REMOVED_TAGS)) scan.skipStrings();
  scan.expect(ACTIVE_CONDITIONS);
  scan.skipBooleans();
  scan.expect(ACTIVE_CONDITIONS_END);
}

/** Passing over an event would lose the rows that it moves: who follows the shape must be told what it met. */
function refuseStart(scan: LineScan): never {
  if (scan.skip(NO_ROW)) throw new UnreadableEntryError('it is an event or a control, where a row was to be read');
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
