/**
 * ChangeConverter: from the changes of a table to the JSON lines of one shape, as clients get them.
 *
 * The same changes must give the same bytes each time, since a log that a crash cut off is made again from the
 * transaction log under offsets that were already given out. So nothing here depends on anything but the definition,
 * the layout and the bytes of a change.
 *
 * Values are JSON already: a line is put together from slices and from fragments escaped once. A row that a client
 * holds and one that it does not hold must never be confused: an update is an `update` only if the filter took the
 * row before and after, and only if its key stayed.
 */
import { invariant } from '../base/invariant.ts';
import { CHANGE_KINDS, type Change, type GapCause, type Tuple } from '../model/change.ts';
import type { RelationLayout } from '../model/relation.ts';
import type { ShapeDefinition } from '../model/shape.ts';
import type { LoggedTransaction } from '../model/transaction.ts';
import type { Where } from '../sql/where.ts';
import { LINE } from './line-format.ts';
import type { LineWriter } from './line-writer.ts';
import { Projection, type Fragments } from './projection.ts';
import { isSameValue, type RowPlan, type SelectedColumn } from './row-plan.ts';

/** One line of a shape's log: `position` is the second half of its offset. */
export interface ShapeLine {
  readonly position: number;
  readonly bytes: Uint8Array;
}

export type ConvertedTransaction =
  /** Possibly none: the changes did not concern the shape after all. */
  | { readonly outcome: 'lines'; readonly lines: readonly ShapeLine[] }
  /** The shape must end here: no line could say what the transaction did. */
  | { readonly outcome: 'end'; readonly why: ShapeEnd };

/** Every row went at once, the table is not what it was, or nobody knows what happened to it. */
export type ShapeEnd = 'truncate' | 'schemaChanged' | GapCause;

const encoder = new TextEncoder();
const VALUE = encoder.encode(LINE.value);
const OLD_VALUE = encoder.encode(LINE.oldValue);
const KEY_CHANGE_TO = encoder.encode(LINE.keyChangeTo);
const KEY_CHANGE_FROM = encoder.encode(LINE.keyChangeFrom);
const LINE_END = encoder.encode(LINE.end);
const LAST_LINE_END = encoder.encode(`${LINE.last}${LINE.end}`);
const KEY_VALUE_START = encoder.encode('/\\"');
const KEY_VALUE_END = encoder.encode('\\"');
const KEY_NULL = encoder.encode('/_');
const [QUOTE, SLASH, BRACE, BRACE_END] = [0x22, 0x2f, 0x7b, 0x7d] as const;

export class ChangeConverter {
  constructor(
    private readonly definition: ShapeDefinition,
    /** The filter of `definition`, parsed; undefined for every row. */
    private readonly where: Where | undefined,
    private readonly layoutOf: (id: number) => RelationLayout | undefined,
    /** That of `definition`, shared with others. */
    private readonly projection = new Projection(definition),
  ) {}

  /**
   * The last line of a transaction is marked as such. Of one that comes in parts only the last part tells which line that
   * is: so the last one so far is held back by the caller, and comes again with the next part.
   *
   * @param changes those of `transaction` that the router gave to this shape, in the order of the log.
   * @param heldBack the last line of the parts before, not marked.
   * @returns lines that hold until the next call: whoever keeps one copies it.
   */
  convert(transaction: LoggedTransaction, changes: Iterable<Change>, heldBack?: ShapeLine): ConvertedTransaction {
    const draft = new TransactionDraft(this.writer, transaction);
    for (const change of changes) {
      const plan = this.projection.planOf(change.layoutId, this.layoutOf);
      if (plan === null) return draft.abandon('schemaChanged');
      if (change.kind === CHANGE_KINDS.truncate) return draft.abandon('truncate');
      if (change.kind === CHANGE_KINDS.gap) return draft.abandon(change.cause);
      this.convertChange(change, plan, draft);
    }
    const lines = draft.finish(heldBack);
    return { outcome: 'lines', lines: transaction.isUnfinished ? lines : withLastMarked(lines) };
  }

  /** @param tuple a row of the snapshot, its values those of `snapshotColumns`. */
  snapshotLine(tuple: Tuple): Uint8Array {
    const { snapshotPlan } = this.projection;
    this.writer.clear(); // Another shape may have left half a line behind.
    this.writeLineStart(tuple, snapshotPlan);
    this.writeValue(tuple, snapshotPlan.selected);
    this.writer.append(this.fragments.headers.insert);
    this.writer.append(LINE_END);
    return this.writer.take();
  }

  private get writer(): LineWriter {
    return this.projection.writer;
  }

  private get fragments(): Fragments {
    return this.projection.fragments;
  }

  private convertChange(change: Change, plan: RowPlan, draft: TransactionDraft): void {
    const { old, new: current, position } = change;
    const held = old !== undefined && this.takes(old, plan) ? old : undefined;
    const wanted = current !== undefined && this.takes(current, plan) ? current : undefined;
    invariant(old !== undefined || change.kind === CHANGE_KINDS.insert, 'an update or delete tells the whole old row');
    if (held === undefined && wanted !== undefined) this.insert(wanted, plan, position, draft);
    if (held !== undefined && wanted === undefined) this.delete(held, plan, position, draft);
    if (held !== undefined && wanted !== undefined) this.update(held, wanted, plan, position, draft);
  }

  private takes(tuple: Tuple, plan: RowPlan): boolean {
    if (this.where === undefined) return true;
    const text = (column: string): string | null => {
      const index = plan.indexOf.get(column);
      invariant(index !== undefined, 'a filter reads only columns of its table');
      return tuple.text(index);
    };
    return this.where.evaluate(text) === true;
  }

  private update(old: Tuple, current: Tuple, plan: RowPlan, position: number, draft: TransactionDraft): void {
    if (plan.key.some(({ index }) => !isSameValue(old, current, index))) {
      this.delete(old, plan, position, draft, current);
      this.insert(current, plan, position + 1, draft, old);
      return;
    }
    const changed = plan.selected.filter(({ index }) => !isSameValue(old, current, index));
    if (changed.length === 0) return;
    this.writeLineStart(current, plan);
    if (this.definition.replica === 'full') {
      this.writeValue(current, plan.selected);
      this.writer.append(OLD_VALUE);
      this.writeValue(old, changed);
    } else {
      this.writeValue(current, plan.selected.filter((column) => column.inPrimaryKey || changed.includes(column)));
    }
    this.writer.append(this.fragments.headers.update);
    draft.endLine(position);
  }

  /** @param previous the row that this one replaces under another key. */
  private insert(row: Tuple, plan: RowPlan, position: number, draft: TransactionDraft, previous?: Tuple): void {
    this.writeLineStart(row, plan);
    this.writeValue(row, plan.selected);
    this.writer.append(this.fragments.headers.insert);
    if (previous !== undefined) this.writeKeyChange(KEY_CHANGE_FROM, previous, plan);
    draft.endLine(position);
  }

  /** @param next the row that takes the place of this one under another key. */
  private delete(row: Tuple, plan: RowPlan, position: number, draft: TransactionDraft, next?: Tuple): void {
    const keyOnly = this.definition.replica === 'default' && this.definition.primaryKey.length > 0;
    this.writeLineStart(row, plan);
    this.writeValue(row, keyOnly ? plan.selected.filter(({ inPrimaryKey }) => inPrimaryKey) : plan.selected);
    this.writer.append(this.fragments.headers.delete);
    if (next !== undefined) this.writeKeyChange(KEY_CHANGE_TO, next, plan);
    draft.endLine(position);
  }

  private writeLineStart(row: Tuple, plan: RowPlan): void {
    this.writer.append(this.fragments.lineStart);
    this.writeKeyValues(row, plan);
    this.writer.append(VALUE);
  }

  private writeKeyChange(label: Uint8Array, row: Tuple, plan: RowPlan): void {
    this.writer.append(label);
    this.writer.append(this.fragments.keyStart);
    this.writeKeyValues(row, plan);
    this.writer.appendByte(QUOTE);
  }

  private writeKeyValues(row: Tuple, plan: RowPlan): void {
    for (const { index, isBoolean } of plan.key) {
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

  private writeKeyText(bytes: Uint8Array, start: number, end: number): void {
    let from = start;
    for (let at = start; at < end; at += 1) {
      if (bytes[at] !== SLASH) continue;
      this.writer.appendRange(bytes, from, at + 1); // Up to the slash, which then begins the next range: written twice.
      from = at;
    }
    this.writer.appendRange(bytes, from, end);
  }

  private writeValue(row: Tuple, columns: readonly SelectedColumn[]): void {
    this.writer.appendByte(BRACE);
    let skipComma = 1;
    for (const { index, label } of columns) {
      this.writer.appendRange(label, skipComma, label.length);
      this.writer.appendRange(row.bytes, row.valueStart(index), row.valueEnd(index));
      skipComma = 0;
    }
    this.writer.appendByte(BRACE_END);
  }
}

/** The lines of one transaction while they are made. */
class TransactionDraft {
  private readonly positions: number[] = [];
  private readonly ends: number[] = [];
  private readonly stamp: Uint8Array;

  constructor(
    private readonly writer: LineWriter,
    { xid, lsn }: LoggedTransaction,
  ) {
    writer.clear(); // A throw may have left half a line behind.
    this.stamp = encoder.encode(`${LINE.xids}${xid}${LINE.lsn}${lsn}${LINE.opPosition}`);
  }

  endLine(position: number): void {
    this.writer.append(this.stamp);
    this.writer.appendNumber(position);
    this.writer.append(LINE_END);
    this.positions.push(position);
    this.ends.push(this.writer.size);
  }

  /** @param before the line in front of these. */
  finish(before: ShapeLine | undefined): ShapeLine[] {
    const bytes = this.writer.lend();
    const lines = before === undefined ? [] : [before];
    let start = 0;
    this.positions.forEach((position, index) => {
      const end = this.ends[index] ?? start;
      lines.push({ position, bytes: bytes.subarray(start, end) });
      start = end;
    });
    return lines;
  }

  abandon(why: ShapeEnd): ConvertedTransaction {
    this.writer.clear();
    return { outcome: 'end', why };
  }
}

/** Which line is a transaction's last is known only once no other came: it alone is copied. */
function withLastMarked(lines: ShapeLine[]): readonly ShapeLine[] {
  const last = lines.pop();
  if (last !== undefined) lines.push({ position: last.position, bytes: asLast(last.bytes) });
  return lines;
}

function asLast(line: Uint8Array): Uint8Array {
  const head = line.length - LINE_END.length;
  const last = new Uint8Array(head + LAST_LINE_END.length);
  last.set(line.subarray(0, head));
  last.set(LAST_LINE_END, head);
  return last;
}
