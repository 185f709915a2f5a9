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
import { textOf, type FixedText } from '../base/growable-bytes.ts';
import { invariant } from '../base/invariant.ts';
import { CHANGE_KINDS, type Change, type GapCause, type Tuple } from '../model/change.ts';
import type { LineTemplate } from '../model/line-template.ts';
import type { PgSnapshot } from '../model/pg-snapshot.ts';
import { PlacedLines, type PlacedLine } from '../model/placed-lines.ts';
import type { RelationLayout } from '../model/relation.ts';
import type { ShapeDefinition } from '../model/shape.ts';
import { snapshotEndLine } from '../model/snapshot-end.ts';
import type { LoggedTransaction } from '../model/transaction.ts';
import { EvaluationError } from '../sql/evaluation-error.ts';
import type { Membership, Selected, SubqueryPlan, Where } from '../sql/where.ts';
import { LINE, ROW_END } from './line-format.ts';
import type { LineWriter } from './line-writer.ts';
import { askedKeys, canBeNamed, xidsOf, type MemberMove, type MoveTeller } from './member-moves.ts';
import { EVENT_PATTERNS_MAX, moveEventLine, type MoveKind } from './move-event.ts';
import { MoveJudge, type JudgedMove, type JudgedViews } from './move-judge.ts';
import { Projection, type Fragments } from './projection.ts';
import { isSameMarks, RowJudge, type RowMarks } from './row-marks.ts';
import { isSameValue, type RowPlan, type SelectedColumn } from './row-plan.ts';
import { movedPatterns, type TagHash } from './row-tags.ts';
import type { RowWriter } from './row-writer.ts';

export type ConvertedTransaction =
  /** Possibly none: the changes did not concern the shape after all. */
  | { readonly outcome: 'lines'; readonly lines: PlacedLines }
  /** The shape must end here: no line could say what the transaction did. */
  | { readonly outcome: 'end'; readonly why: ShapeEnd }
  /** Likewise: the filter has an error in one of its rows. */
  | { readonly outcome: 'filterFailed'; readonly error: EvaluationError };

/** Every row went at once, the table is not what it was, or nobody knows what happened to it. */
export type ShapeEnd = 'truncate' | 'schemaChanged' | GapCause;

const encoder = new TextEncoder();
const VALUE = textOf(LINE.value);
const OLD_VALUE = textOf(LINE.oldValue);
const KEY_CHANGE_TO = textOf(LINE.keyChangeTo);
const KEY_CHANGE_FROM = textOf(LINE.keyChangeFrom);
const IS_MOVE_IN = textOf(LINE.isMoveIn);
const SNAPSHOT_MARK = textOf(LINE.snapshotMark);
const LINE_END = textOf(LINE.end);
const LAST_LINE_END = textOf(`${LINE.last}${LINE.end}`);
const QUOTE = 0x22;
const COMMA = 0x2c;

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
   * @returns lines that hold until the next call, also of another shape with the same columns: whoever keeps one copies it.
   */
  convert(
    transaction: LoggedTransaction,
    changes: Iterable<Change>,
    heldBack?: PlacedLine,
    isMember?: Membership,
  ): ConvertedTransaction {
    const draft = new TransactionDraft(this.projection.writer, transaction, heldBack);
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
    if (!transaction.isUnfinished) draft.markLast();
    return { outcome: 'lines', lines: draft.finish() };
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

  /** What `snapshotLine` gives, for who has the values of `snapshotColumns`. Undefined where lines say more of a row than its values. */
  get snapshotTemplate(): LineTemplate | undefined {
    return this.tagHash === undefined ? this.projection.snapshotTemplate : undefined;
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

  /** @param moves by number of the subquery. */
  tellerOf(moves: readonly MemberMove[]): MoveTeller {
    return this.tagHash === undefined || !canBeNamed(this.subqueries, moves) ? 'rows' : 'events';
  }

  /** The rows that a splice needs: by what they have on the left side of each subquery, or any. */
  askedRows(moves: readonly MemberMove[]): Selected | 'any' {
    return askedKeys(this.subqueries, moves, this.tellerOf(moves));
  }

  /** For the rows of one splice. */
  moveJudge(views: JudgedViews): MoveJudge {
    return new MoveJudge(this.judge, this.projection.snapshotPlan, this.where?.columns ?? [], views);
  }

  /**
   * What becomes of rows when the subqueries select something else: by no transaction of their own table, so the lines name none. Of a row
   * to which nothing happens there is no line, nor where events say it to a client that has the row.
   *
   * @returns the lines, with `ROW_END` behind each.
   * @throws {EvaluationError} the filter has an error in a row.
   */
  movedLines(rows: Iterable<Tuple>, judge: MoveJudge, teller: MoveTeller): Uint8Array {
    this.beginLine();
    for (const row of rows) {
      if (!this.writeMoved(row, judge.of(row), teller)) continue;
      this.writer.append(LINE_END);
      this.writer.appendByte(ROW_END);
    }
    return this.writer.take();
  }

  /**
   * The last row of a splice of which no event tells: it names what moved the values, and is marked as the last.
   *
   * @param line as it was made by `movedLines`, without its `ROW_END`.
   * @param moves by number of the subquery, of one transaction at the least.
   */
  lastMovedLine(line: Uint8Array, moves: readonly MemberMove[]): Uint8Array {
    return withEnd(line, encoder.encode(`${LINE.xids}${xidsOf(moves).join(',')}${LINE.xidsEnd}${LINE.last}${LINE.end}`));
  }

  /**
   * One of the events that tell a move, each with `EVENT_PATTERNS_MAX` patterns but for the last.
   *
   * @param moves by number of the subquery; what moved in an order that is the same each time.
   * @param index of the event.
   * @returns undefined when there is nothing more to tell: no term turns by what moved, or it is told row by row.
   */
  moveEvent(event: MoveKind, moves: readonly MemberMove[], index: number): Uint8Array | undefined {
    if (this.tagHash === undefined || this.tellerOf(moves) === 'rows') return undefined;
    const from = index * EVENT_PATTERNS_MAX;
    const patterns = movedPatterns(this.subqueries, event === 'move-in', moves, this.tagHash, from, EVENT_PATTERNS_MAX);
    return patterns.length === 0 ? undefined : moveEventLine(event, patterns, xidsOf(moves));
  }

  /** Behind the rows of a splice, as behind those of the snapshot. */
  snapshotEnd(pgSnapshot: PgSnapshot): Uint8Array {
    return snapshotEndLine(pgSnapshot);
  }

  private get subqueries(): SubqueryPlan {
    invariant(this.where?.subqueries !== undefined, 'rows move only by what subqueries select');
    return this.where.subqueries;
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

  /** @returns whether there is anything to tell. */
  private writeMoved(row: Tuple, { was, is }: JudgedMove, teller: MoveTeller): boolean {
    const { snapshotPlan } = this.projection;
    if (was === undefined) {
      if (is === undefined) return false;
      this.writeInsert(row, snapshotPlan);
      if (this.tagHash !== undefined) this.writer.append(IS_MOVE_IN);
      this.rows.writeMarks(is);
    } else if (teller === 'events' || (is !== undefined && isSameMarks(was, is))) {
      return false;
    } else if (is === undefined) {
      this.writeDelete(row, snapshotPlan);
      this.rows.writeMarks(was);
    } else {
      this.writeUpdate(row, row, [], snapshotPlan);
      this.rows.writeUpdateMarks(was, is);
    }
    return true;
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
    this.writeUpdate(old, current, changed, plan);
    this.rows.writeUpdateMarks(oldMarks, marks);
    draft.endLine();
  }

  private writeUpdate(old: Tuple, current: Tuple, changed: readonly SelectedColumn[], plan: RowPlan): void {
    this.writeLineStart(current, plan);
    if (this.definition.replica === 'full') {
      this.rows.writeValues(current, plan.selected);
      this.writer.append(OLD_VALUE);
      this.rows.writeValues(old, changed);
    } else {
      this.rows.writeValues(current, plan.selected.filter((column) => column.inPrimaryKey || changed.includes(column)));
    }
    this.writer.append(this.fragments.headers.update);
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

  private writeKeyChange(label: FixedText, row: Tuple, plan: RowPlan): void {
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
  /** Where the first line has what each of them says of the transaction; undefined before that. */
  private stamp: { readonly start: number; readonly end: number } | undefined;
  /** Of the next line: the second half of its offset. */
  position = 0;

  /** @param before the line in front of these. */
  constructor(
    private readonly writer: LineWriter,
    private readonly transaction: LoggedTransaction,
    before: PlacedLine | undefined,
  ) {
    writer.clear(); // A throw may have left half a line behind.
    if (before === undefined) return;
    writer.appendBytes(before.bytes);
    this.put(before.position);
  }

  endLine(): void {
    this.writeStamp();
    this.writer.appendNumber(this.position);
    this.writer.append(LINE_END);
    this.put(this.position);
  }

  /** Which line is a transaction's last is known only once no other came. */
  markLast(): void {
    const position = this.positions.pop();
    const end = this.ends.pop();
    if (position === undefined || end === undefined) return;
    this.writer.cut(end - 1 - LINE_END.length);
    this.writer.append(LAST_LINE_END);
    this.put(position);
  }

  finish(): PlacedLines {
    return new PlacedLines(this.writer.lend(), this.ends, this.positions);
  }

  abandon(why: ShapeEnd): ConvertedTransaction {
    this.writer.clear();
    return { outcome: 'end', why };
  }

  private put(position: number): void {
    this.writer.appendByte(COMMA);
    this.positions.push(position);
    this.ends.push(this.writer.size);
  }

  private writeStamp(): void {
    const { writer, stamp, transaction: { xid, lsn } } = this;
    if (stamp !== undefined) return writer.appendAgain(stamp.start, stamp.end);
    const start = writer.size;
    writer.appendText(`${LINE.xids}${xid}${LINE.xidsEnd}${LINE.lsn}${lsn}${LINE.opPosition}`);
    this.stamp = { start, end: writer.size };
  }
}

function withEnd(line: Uint8Array, end: Uint8Array): Uint8Array {
  const head = line.length - LINE_END.length;
  const ended = new Uint8Array(head + end.length);
  ended.set(line.subarray(0, head));
  ended.set(end, head);
  return ended;
}
