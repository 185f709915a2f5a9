/**
 * FoldPlan: what becomes of each line when a log is compacted.
 *
 * An update goes into the next one of its row, if nothing stands between the two that its reader must meet first: an insert or a delete of
 * the row, other marks, an event or a control. An update that a delete follows goes without a trace. Every other line stays where it is:
 * whoever has read to anywhere between two lines has all that those before have brought, and takes what comes again as it took it before.
 *
 * Memory is bounded: when it holds too much of rows it forgets all of them. What lies behind is then not joined with what lies before. And
 * when it holds too much of lines it takes no more of them: those behind stay as they are, until there are fewer before them.
 */
import { NumberColumn } from '../../base/packed/number-column.ts';
import { TextTable } from '../../base/packed/text-table.ts';
import type { RowLine } from './line-folder.ts';

/** Of a line: it stays, it goes, or it goes into the line whose number comes after these. */
const [STAYS, GOES, INTO] = [0, 1, 2] as const;
/** Of a row: no update of it may go into another. */
const NONE = 0;

export type LineFate = 'stays' | 'goes' | { readonly into: number };

/** @param heldBytesMax of rows, and of what would be held of their lines while they are folded, by an estimate; as much again of lines. */
export class FoldPlan {
  private readonly fates = new NumberColumn();
  private keys = new TextTable();
  private marks = new TextTable();
  /** Of a row, the number of its last update and one. */
  private updates = new NumberColumn();
  private marksOf = new NumberColumn();
  private sizes = new NumberColumn();
  private estimates = new NumberColumn();
  private estimated = 0;
  private count = 0;
  private gone = 0;

  constructor(private readonly heldBytesMax: number) {}

  /** Bytes of lines that do not stay. */
  get goneBytes(): number {
    return this.gone;
  }

  /** The next line. @param row undefined for one that tells none. */
  take(row: RowLine | undefined, bytes: number): void {
    if (row === undefined || this.heldBytes > this.heldBytesMax || this.isFull) this.forgetRows();
    if (this.isFull) return;
    if (row?.operation === 'update') this.takeUpdate(row, bytes);
    else if (row !== undefined) this.takeEnd(row);
    this.count += 1;
  }

  /** What comes is not joined with what came. */
  forgetRows(): void {
    if (this.keys.size === 0) return;
    this.keys = new TextTable();
    this.marks = new TextTable();
    this.updates = new NumberColumn();
    this.estimates = new NumberColumn();
    this.estimated = 0;
  }

  /** @param number from 0 on. */
  fateOf(number: number): LineFate {
    const fate = this.fates.get(number);
    if (fate === STAYS) return 'stays';
    return fate === GOES ? 'goes' : { into: fate - INTO };
  }

  /** What comes now stays as it is. */
  get isFull(): boolean {
    return this.fates.bytes > this.heldBytesMax;
  }

  private get heldBytes(): number {
    return this.keys.bytes + this.marks.bytes + this.estimated;
  }

  private takeUpdate({ key, marks }: RowLine, bytes: number): void {
    const row = this.keys.add(key);
    const mark = this.marks.add(marks);
    const last = this.updates.get(row);
    if (last !== NONE && this.marksOf.get(row) === mark) {
      this.fates.set(last - 1, INTO + this.count);
      this.gone += this.sizes.get(row);
      this.estimate(row, 2 * Math.max(bytes, this.sizes.get(row)));
    }
    this.updates.set(row, this.count + 1);
    this.marksOf.set(row, mark);
    this.sizes.set(row, bytes);
  }

  /** An insert, or a delete, of the row. */
  private takeEnd({ key, operation }: RowLine): void {
    const row = this.keys.numberOf(key);
    if (row === undefined) return;
    if (operation === 'delete') {
      this.fates.set(this.updates.get(row) - 1, GOES);
      this.gone += this.sizes.get(row);
    }
    this.estimate(row, 0, 'less');
    this.updates.set(row, NONE);
    this.keys.delete(row);
  }

  private estimate(row: number, bytes: number, may?: 'less'): void {
    const before = this.estimates.get(row);
    const now = may === 'less' ? bytes : Math.max(before, bytes);
    this.estimates.set(row, now);
    this.estimated += now - before;
  }
}
