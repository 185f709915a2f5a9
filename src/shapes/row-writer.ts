/**
 * RowWriter: those parts of a line that come from its row. Values are JSON already, so they are copied as slices, between
 * fragments that were escaped once.
 */
import { textOf } from '../base/growable-bytes.ts';
import type { Tuple } from '../model/change.ts';
import { KEY_TEXT } from '../model/line-template.ts';
import { LINE } from './line-format.ts';
import type { LineWriter } from './line-writer.ts';
import { UNMARKED, type RowMarks } from './row-marks.ts';
import type { RowPlan, SelectedColumn } from './row-plan.ts';

const encoder = new TextEncoder();
const KEY_VALUE_START = textOf(KEY_TEXT.start);
const KEY_VALUE_END = textOf(KEY_TEXT.end);
const KEY_NULL = textOf(KEY_TEXT.null);
const [SLASH, BRACE, BRACE_END] = [0x2f, 0x7b, 0x7d] as const;

export class RowWriter {
  /** What was written of marks last: of rows that move together they are the same. */
  private last: { readonly marks: RowMarks; readonly text: Uint8Array } | undefined;

  constructor(private readonly writer: LineWriter) {}

  /** Behind the key's first part, which names the table. */
  writeKey(row: Tuple, { key }: RowPlan): void {
    for (const { index, isBoolean } of key) {
      if (row.isNull(index)) {
        this.writer.append(KEY_NULL);
        continue;
      }
      this.writer.append(KEY_VALUE_START);
      // A snapshot says `true` where the stream says `t`: the first letter is the same key on both paths.
      const first = row.valueStart(index) + 1;
      this.writeKeyText(row.bytes, first, isBoolean ? first + 1 : row.valueEnd(index) - 1);
      this.writer.append(KEY_VALUE_END);
    }
  }

  writeValues(row: Tuple, columns: readonly SelectedColumn[]): void {
    this.writer.appendByte(BRACE);
    let isFirst = true;
    for (const { index, label, firstLabel } of columns) {
      this.writer.append(isFirst ? firstLabel : label);
      this.writer.appendRange(row.bytes, row.valueStart(index), row.valueEnd(index));
      isFirst = false;
    }
    this.writer.appendByte(BRACE_END);
  }

  writeMarks(marks: RowMarks): void {
    if (marks === UNMARKED) return;
    if (this.last?.marks !== marks) {
      this.last = { marks, text: encoder.encode(`${LINE.tags}${listed(marks.tags)}${conditionsOf(marks)}`) };
    }
    this.writer.appendBytes(this.last.text);
  }

  /** The same of an update, which tells also what tags it took away, and that it took none. */
  writeUpdateMarks(old: RowMarks, marks: RowMarks): void {
    if (marks === UNMARKED) return;
    const removed = old.tags.filter((tag) => !marks.tags.includes(tag));
    this.append(`${LINE.tags}${listed(marks.tags)}${LINE.removedTags}${listed(removed)}${conditionsOf(marks)}`);
  }

  private append(text: string): void {
    this.writer.appendBytes(encoder.encode(text));
  }

  private writeKeyText(bytes: Uint8Array, start: number, end: number): void {
    let from = start;
    for (let at = start; at < end; at += 1) {
      if (bytes[at] !== SLASH) continue;
      this.writer.appendRange(bytes, from, at + 1); // Up to the slash, which then begins the next range: written twice.
      from = at;
    }
    this.writer.appendRange(bytes, from, end);
  }
}

function conditionsOf({ active }: RowMarks): string {
  return `${LINE.activeConditions}${listed(active)}${LINE.activeConditionsEnd}`;
}

/** What stands in a list, without its brackets. */
function listed(items: readonly (string | boolean)[]): string {
  return JSON.stringify(items).slice(1, -1);
}
