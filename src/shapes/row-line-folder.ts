/**
 * RowLineFolder: two updates of one row as one line. The counterpart of `ChangeConverter` for whoever compacts a log: what that writes,
 * this joins.
 *
 * The later line stays as it is, in all that its headers tell: it is what its transaction did to the row. Its `value` tells what the
 * earlier one alone told, too; and its `old_value` what the row was before both. A client that has a snapshot of the row leaves the line
 * out when the snapshot sees the later transaction, and then it sees the earlier one as well, for that had the row before.
 */
import { joinedBytes } from '../base/joined-bytes.ts';
import { UnreadableEntryError } from '../model/log-entry.ts';
import type { Operation } from './line-format.ts';
import { LineScan, type MemberSpan } from './line-scan.ts';
import { OLD_VALUE, operationIn, skipMarks, START, START_OF_OTHERS, VALUE } from './row-line-scan.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('latin1');
const COMMA = encoder.encode(',');
const OPEN = encoder.encode('{');
const SHUT = encoder.encode('}');

interface FoldableRow {
  readonly key: string;
  readonly operation: Operation;
  readonly marks: string;
}

export class RowLineFolder {
  read(line: Uint8Array): FoldableRow | undefined {
    const scan = new LineScan(line);
    if (!scan.skip(START)) return refuseUnlessOther(scan);
    const keyFrom = scan.place;
    scan.skipString();
    const key = latin1(line, keyFrom, scan.place);
    scan.expect(VALUE);
    scan.members([]);
    if (scan.skip(OLD_VALUE)) scan.members([]);
    const operation = operationIn(scan);
    const marksFrom = scan.place;
    skipMarks(scan);
    return { key, operation, marks: latin1(line, marksFrom, scan.place) };
  }

  fold(earlier: Uint8Array, later: Uint8Array): Uint8Array {
    const [before, after] = [objectsOf(earlier), objectsOf(later)];
    const added = missing(before.value, after.value).map((span) => bytesOf(earlier, span));
    const old = [
      ...before.old.map((span) => bytesOf(earlier, span)),
      ...missing(after.old, before.old).map((span) => bytesOf(later, span)),
    ];
    return joinedBytes([
      later.subarray(0, after.valueEnd - 1),
      ...added.flatMap((member) => [COMMA, member]),
      later.subarray(after.valueEnd - 1, after.valueEnd),
      ...(old.length === 0 ? [] : [OLD_VALUE, OPEN, ...separated(old), SHUT]),
      later.subarray(after.oldEnd),
    ]);
  }
}

interface LineObjects {
  readonly value: readonly MemberSpan[];
  readonly valueEnd: number;
  readonly old: readonly MemberSpan[];
  /** Where the headers begin. */
  readonly oldEnd: number;
}

/** An update's value is never empty: it has the key. */
function objectsOf(line: Uint8Array): LineObjects {
  const scan = new LineScan(line);
  const textOf = (from: number, to: number): string => latin1(line, from, to);
  scan.expect(START);
  scan.skipString();
  scan.expect(VALUE);
  const value = scan.spans(textOf);
  const valueEnd = scan.place;
  const old = scan.skip(OLD_VALUE) ? scan.spans(textOf) : [];
  return { value, valueEnd, old, oldEnd: scan.place };
}

/** Those of `spans` whose names are not among `others`. */
function missing(spans: readonly MemberSpan[], others: readonly MemberSpan[]): readonly MemberSpan[] {
  return spans.filter(({ name }) => !others.some((other) => other.name === name));
}

function bytesOf(line: Uint8Array, { from, to }: MemberSpan): Uint8Array {
  return line.subarray(from, to);
}

function separated(members: readonly Uint8Array[]): Uint8Array[] {
  return members.flatMap((member, index) => (index === 0 ? [member] : [COMMA, member]));
}

function refuseUnlessOther(scan: LineScan): undefined {
  if (!scan.skip(START_OF_OTHERS)) throw new UnreadableEntryError('it tells no row, and is neither an event nor a control');
}

/** One text for the same bytes, and for no others: those of a database without an encoding may be no UTF-8. */
function latin1(bytes: Uint8Array, from: number, to: number): string {
  return decoder.decode(bytes.subarray(from, to));
}
