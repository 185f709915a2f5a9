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
import type { PgSnapshot, Xid } from '../model/pg-snapshot.ts';
import type { RelationLayout } from '../model/relation.ts';
import type { ShapeDefinition } from '../model/shape.ts';
import { snapshotEndLine } from '../model/snapshot-end.ts';
import type { LoggedTransaction } from '../model/transaction.ts';
import { EvaluationError } from '../sql/evaluation-error.ts';
import type { Membership, Where } from '../sql/where.ts';
import { LINE } from './line-format.ts';
import type { LineWriter } from './line-writer.ts';
import { EVENT_PATTERNS_MAX, moveEventLine, type MoveKind } from './move-event.ts';
import { Projection, type Fragments } from './projection.ts';
import { isSameMarks, RowJudge, type RowMarks } from './row-marks.ts';
import { isSameValue, type RowPlan } from './row-plan.ts';
import { movedPatterns, type TagHash } from './row-tags.ts';
import type { RowWriter } from './row-writer.ts';

/** One line of a shape's log: `position` is the second half of its offset. */
export interface ShapeLine {
  readonly position: number;
  readonly bytes: Uint8Array;
}

export type ConvertedTransaction =
  /** Possibly none: the changes did not concern the shape after all. */
  | { readonly outcome: 'lines'; readonly lines: readonly ShapeLine[] }
  /** The shape must end here: no line could say what the transaction did. */
  | { readonly outcome: 'end'; readonly why: ShapeEnd }
  /** Likewise: the filter has an error in one of its rows. */
  | { readonly outcome: 'filterFailed'; readonly error: EvaluationError };

/** Every row went at once, the table is not what it was, or nobody knows what happened to it. */
export type ShapeEnd = 'truncate' | 'schemaChanged' | GapCause;

export type Movement = 'entered' | 'left' | 'stayed';

const encoder = new TextEncoder();
const VALUE = encoder.encode(LINE.value);
const OLD_VALUE = encoder.encode(LINE.oldValue);
const KEY_CHANGE_TO = encoder.encode(LINE.keyChangeTo);
const KEY_CHANGE_FROM = encoder.encode(LINE.keyChangeFrom);
const IS_MOVE_IN = encoder.encode(LINE.isMoveIn);
const SNAPSHOT_MARK = encoder.encode(LINE.snapshotMark);
const LINE_END = encoder.encode(LINE.end);
const LAST_LINE_END = encoder.encode(`${LINE.last}${LINE.end}`);
const QUOTE = 0x22;

export class ChangeConverter {
  private readonly judge: RowJudge;
  /** Undefined where no line names tags: also where a client that knows none is told every row that left. */
  private readonly tagHash: TagHash | undefined;

  constructor(
    private readonly definition: ShapeDefinition,
    /** The filter of `definition`, parsed; undefined for every row. */
    private readonly where: Where | undefined,
    private readonly layoutOf: (id: number) => RelationLayout | undefined,
    /** That of `definition`, shared with others. */
    private readonly projection = new Projection(definition),
    /** Of this shape alone; not needed by one without subqueries. */
    tagHash?: TagHash,
  ) {
    const hasTags = where?.subqueries !== undefined && definition.moveOuts !== 'deletes';
    invariant(!hasTags || tagHash !== undefined, 'rows of a shape with subqueries have tags');
    this.tagHash = hasTags ? tagHash : undefined;
    this.judge = new RowJudge(where, this.tagHash);
  }

  /**
   * The last line of a transaction is marked as such. Of one that comes in parts only the last part tells which line that
   * is: so the last one so far is held back by the caller, and comes again with the next part.
   *
   * @param changes those of `transaction` that the router gave to this shape, in the order of the log.
   * @param heldBack the last line of the parts before, not marked.
   * @param isMember what the filter's subqueries select, for old rows and new ones alike: that changes between transactions only.
   * @returns lines that hold until the next call: whoever keeps one copies it.
   */
  convert(
    transaction: LoggedTransaction,
    changes: Iterable<Change>,
    heldBack?: ShapeLine,
    isMember?: Membership,
  ): ConvertedTransaction {
    const draft = new TransactionDraft(this.projection.writer, transaction);
    try {
      for (const change of changes) {
        const plan = this.projection.planOf(change.layoutId, this.layoutOf);
        if (plan === null) return draft.abandon('schemaChanged');
        if (change.kind === CHANGE_KINDS.truncate) return draft.abandon('truncate');
        if (change.kind === CHANGE_KINDS.gap) return draft.abandon(change.cause);
        this.convertChange(change, plan, draft, isMember);
      }
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      return { outcome: 'filterFailed', error };
    }
    const lines = draft.finish(heldBack);
    return { outcome: 'lines', lines: transaction.isUnfinished ? lines : withLastMarked(lines) };
  }

  /**
   * @param tuple a row of the snapshot, its values those of `snapshotColumns`, which are `spliceColumns` too where rows can move.
   * @param isMember what the snapshot's query took the subqueries to select.
   */
  snapshotLine(tuple: Tuple, isMember?: Membership): Uint8Array {
    const { snapshotPlan } = this.projection;
    this.beginLine();
    this.writeInsert(tuple, snapshotPlan);
    this.rows.writeMarks(this.judge.marksOf(tuple, snapshotPlan, isMember));
    return this.takeLine();
  }

  /** Likewise of a row that was asked for by itself. @param mark of the answer that it is part of. */
  subsetLine(tuple: Tuple, isMember: Membership | undefined, mark: number): Uint8Array {
    const { snapshotPlan } = this.projection;
    this.beginLine();
    this.writeInsert(tuple, snapshotPlan);
    this.writer.append(SNAPSHOT_MARK);
    this.writer.appendNumber(mark);
    this.rows.writeMarks(this.judge.marksOf(tuple, snapshotPlan, isMember));
    return this.takeLine();
  }

  /** What becomes of a row when the subqueries select `after` instead of `before`. Who stays may have been outside all the time. */
  movement(tuple: Tuple, before: Membership, after: Membership): Movement {
    const was = this.judge.takes(tuple, this.projection.snapshotPlan, before);
    const is = this.judge.takes(tuple, this.projection.snapshotPlan, after);
    if (was === is) return 'stayed';
    return is ? 'entered' : 'left';
  }

  /** An insert by no transaction of the row's own table, so it names none. */
  enteredLine(tuple: Tuple, after: Membership): Uint8Array {
    const { snapshotPlan } = this.projection;
    this.beginLine();
    this.writeInsert(tuple, snapshotPlan);
    if (this.tagHash !== undefined) this.writer.append(IS_MOVE_IN);
    this.rows.writeMarks(this.judge.marksOf(tuple, snapshotPlan, after));
    return this.takeLine();
  }

  /** The counterpart, where no event names the rows that leave. */
  leftLine(tuple: Tuple): Uint8Array {
    this.beginLine();
    this.writeDelete(tuple, this.projection.snapshotPlan);
    return this.takeLine();
  }

  /**
   * One of the events that tell a move, each with `EVENT_PATTERNS_MAX` patterns but for the last.
   *
   * @param moved by number of the subquery, in canonical text; in an order that is the same each time.
   * @param xids of the transactions that moved them.
   * @param index of the event.
   * @returns undefined when there is nothing more to tell: no term looks up what moved, or the lines have no tags that it could name.
   */
  moveEvent(event: MoveKind, moved: readonly (readonly string[])[], xids: readonly Xid[], index: number): Uint8Array | undefined {
    const subqueries = this.where?.subqueries;
    if (subqueries === undefined || this.tagHash === undefined) return undefined;
    const patterns = movedPatterns(subqueries, moved, this.tagHash, index * EVENT_PATTERNS_MAX, EVENT_PATTERNS_MAX);
    return patterns.length === 0 ? undefined : moveEventLine(event, patterns, xids);
  }

  /** Behind the rows of a splice, as behind those of the snapshot. */
  snapshotEnd(pgSnapshot: PgSnapshot): Uint8Array {
    return snapshotEndLine(pgSnapshot);
  }

  private get writer(): LineWriter {
    return this.projection.writer;
  }

  private get rows(): RowWriter {
    return this.projection.rows;
  }

  private get fragments(): Fragments {
    return this.projection.fragments;
  }

  private convertChange(change: Change, plan: RowPlan, draft: TransactionDraft, isMember: Membership | undefined): void {
    const { old, new: current } = change;
    invariant(old !== undefined || change.kind === CHANGE_KINDS.insert, 'an update or delete tells the whole old row');
    const oldMarks = old && this.judge.marksIfTaken(old, plan, isMember);
    const marks = current && this.judge.marksIfTaken(current, plan, isMember);
    draft.position = change.position;
    if (old !== undefined && oldMarks !== undefined) {
      if (current === undefined || marks === undefined) this.delete(old, oldMarks, plan, draft);
      else this.update(old, oldMarks, current, marks, plan, draft);
    } else if (current !== undefined && marks !== undefined) this.insert(current, marks, plan, draft);
  }

  private update(old: Tuple, oldMarks: RowMarks, current: Tuple, marks: RowMarks, plan: RowPlan, draft: TransactionDraft): void {
    if (plan.key.some(({ index }) => !isSameValue(old, current, index))) {
      this.delete(old, oldMarks, plan, draft, current);
      draft.position += 1;
      this.insert(current, marks, plan, draft, old);
      return;
    }
    const changed = plan.selected.filter(({ index }) => !isSameValue(old, current, index));
    if (changed.length === 0 && isSameMarks(oldMarks, marks)) return;
    this.writeLineStart(current, plan);
    if (this.definition.replica === 'full') {
      this.rows.writeValues(current, plan.selected);
      this.writer.append(OLD_VALUE);
      this.rows.writeValues(old, changed);
    } else {
      this.rows.writeValues(current, plan.selected.filter((column) => column.inPrimaryKey || changed.includes(column)));
    }
    this.writer.append(this.fragments.headers.update);
    this.rows.writeUpdateMarks(oldMarks, marks);
    draft.endLine();
  }

  /** @param previous the row that this one replaces under another key. */
  private insert(row: Tuple, marks: RowMarks, plan: RowPlan, draft: TransactionDraft, previous?: Tuple): void {
    this.writeInsert(row, plan);
    if (previous !== undefined) this.writeKeyChange(KEY_CHANGE_FROM, previous, plan);
    this.rows.writeMarks(marks);
    draft.endLine();
  }

  /** @param next the row that takes the place of this one under another key. */
  private delete(row: Tuple, marks: RowMarks, plan: RowPlan, draft: TransactionDraft, next?: Tuple): void {
    this.writeDelete(row, plan);
    if (next !== undefined) this.writeKeyChange(KEY_CHANGE_TO, next, plan);
    this.rows.writeMarks(marks);
    draft.endLine();
  }

  private beginLine(): void {
    this.writer.clear(); // Another shape may have left half a line behind.
  }

  private takeLine(): Uint8Array {
    this.writer.append(LINE_END);
    return this.writer.take();
  }

  private writeInsert(row: Tuple, plan: RowPlan): void {
    this.writeLineStart(row, plan);
    this.rows.writeValues(row, plan.selected);
    this.writer.append(this.fragments.headers.insert);
  }

  private writeDelete(row: Tuple, plan: RowPlan): void {
    const keyOnly = this.definition.replica === 'default' && this.definition.primaryKey.length > 0;
    this.writeLineStart(row, plan);
    this.rows.writeValues(row, keyOnly ? plan.selected.filter(({ inPrimaryKey }) => inPrimaryKey) : plan.selected);
    this.writer.append(this.fragments.headers.delete);
  }

  private writeLineStart(row: Tuple, plan: RowPlan): void {
    this.writer.append(this.fragments.lineStart);
    this.rows.writeKey(row, plan);
    this.writer.append(VALUE);
  }

  private writeKeyChange(label: Uint8Array, row: Tuple, plan: RowPlan): void {
    this.writer.append(label);
    this.writer.append(this.fragments.keyStart);
    this.rows.writeKey(row, plan);
    this.writer.appendByte(QUOTE);
  }
}

/** The lines of one transaction while they are made. */
class TransactionDraft {
  private readonly positions: number[] = [];
  private readonly ends: number[] = [];
  private readonly stamp: Uint8Array;
  /** Of the next line: the second half of its offset. */
  position = 0;

  constructor(
    private readonly writer: LineWriter,
    { xid, lsn }: LoggedTransaction,
  ) {
    writer.clear(); // A throw may have left half a line behind.
    this.stamp = encoder.encode(`${LINE.xids}${xid}${LINE.lsn}${lsn}${LINE.opPosition}`);
  }

  endLine(): void {
    this.writer.append(this.stamp);
    this.writer.appendNumber(this.position);
    this.writer.append(LINE_END);
    this.positions.push(this.position);
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
