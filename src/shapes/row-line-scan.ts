/** RowLineScan: the parts of a row's line that are passed over in the same way, whatever is read of it. */
import { LINE, OPERATIONS, type Operation } from './line-format.ts';
import type { LineScan } from './line-scan.ts';

const encoder = new TextEncoder();
/** A string is read with its quotes, which the writer has in the fragments around it. */
export const START = encoder.encode(LINE.start.slice(0, -1));
export const START_OF_OTHERS = encoder.encode(LINE.startOfOthers);
export const VALUE = encoder.encode(LINE.value.slice(1));
export const OLD_VALUE = encoder.encode(LINE.oldValue);
const HEADERS = encoder.encode(LINE.headers);
const OPERATION_ENDS = OPERATIONS.map((operation) => [operation, encoder.encode(`${operation}${LINE.relation}[`)] as const);
const COMMA = encoder.encode(',');
const CLOSE = encoder.encode(']');
const KEY_CHANGES = [LINE.keyChangeTo, LINE.keyChangeFrom].map((label) => encoder.encode(label.slice(0, -1)));
const IS_MOVE_IN = encoder.encode(LINE.isMoveIn);
const TAGS = encoder.encode(LINE.tags);
const REMOVED_TAGS = encoder.encode(LINE.removedTags);
const ACTIVE_CONDITIONS = encoder.encode(LINE.activeConditions);
const ACTIVE_CONDITIONS_END = encoder.encode(LINE.activeConditionsEnd);

/** The headers up to the marks: what was done, to which relation, and which key it had or gets. */
export function operationIn(scan: LineScan): Operation {
  scan.expect(HEADERS);
  const found = OPERATION_ENDS.find(([, text]) => scan.skip(text));
  if (found === undefined) return scan.refuse();
  scan.skipString();
  scan.expect(COMMA);
  scan.skipString();
  scan.expect(CLOSE);
  for (const label of KEY_CHANGES) if (scan.skip(label)) scan.skipString();
  scan.skip(IS_MOVE_IN);
  return found[0];
}

/** By which values the row is in the shape. */
export function skipMarks(scan: LineScan): void {
  if (!scan.skip(TAGS)) return;
  scan.skipStrings();
  if (scan.skip(REMOVED_TAGS)) scan.skipStrings();
  scan.expect(ACTIVE_CONDITIONS);
  scan.skipBooleans();
  scan.expect(ACTIVE_CONDITIONS_END);
}
