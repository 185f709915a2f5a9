/**
 * LineAppender: at which offsets a shape's lines are appended.
 *
 * An operation stands where its transaction and its place in that put it, and one that the log has already is dropped: after a
 * restart it comes again. In the log of a shape that depends on others a splice may have put later operations first; there an
 * operation that would not stand behind the end goes on from the end. Nothing comes again there but what is left out by its position.
 *
 * Who reads by an event stream stands at the next LSN behind the last transaction. So what goes on from the end goes on from there: each
 * transaction, and each splice, has LSNs of its own.
 */
import {
  compareOffsets, laterOffset, lsnOfOffset, offsetOf, positionOfOffset, streamedOffset, type LogOffset,
} from '../../model/log-offset.ts';
import { compareLsn, type Lsn } from '../../model/lsn.ts';
import type { PlacedLines } from '../../model/placed-lines.ts';
import type { ShapeLog } from '../../storage/shapes/shape-logs.ts';

export class LineAppender {
  /** The last line appended, published or not. */
  end: LogOffset;
  /** Nothing is appended before it, whatever place it has. */
  private floor: LogOffset;
  // Lines appended since they were last counted.
  bytes = 0;
  lines = 0;

  constructor(
    private readonly shapeLog: Pick<ShapeLog, 'append' | 'appendAll' | 'end' | 'placedBehind' | 'definition'>,
    original?: LineAppender,
  ) {
    this.end = original?.end ?? shapeLog.end;
    this.floor = original?.floor ?? shapeLog.placedBehind;
    this.bytes = original?.bytes ?? 0;
    this.lines = original?.lines ?? 0;
    if (original === undefined) this.finish();
  }

  /** Lines of one transaction, in their order. */
  append(lsn: Lsn, lines: PlacedLines): void {
    if (this.shapeLog.definition.dependencies !== undefined) return this.appendBehind(lsn, lines);
    const ours = lines.behind(this.takenOf(lsn));
    const last = ours.positions.at(-1);
    if (last === undefined) return;
    this.shapeLog.appendAll(lsn, ours);
    this.note(lsn, last, (ours.ends.at(-1) ?? 0) - ours.length, ours.length);
  }

  /** A transaction, or a splice, is whole: readers may be shown its end. */
  finish(): void {
    if (this.shapeLog.definition.dependencies !== undefined) this.goOnBehind(streamedOffset(this.end));
  }

  /** What the next line stands behind. */
  get place(): LogOffset {
    return laterOffset(this.floor, this.end);
  }

  /** Right behind the end. */
  appendNext(bytes: Uint8Array): void {
    const { place } = this;
    this.put(lsnOfOffset(place), positionOfOffset(place) + 1, bytes);
  }

  /** What is appended from now on stands behind `offset`. */
  goOnBehind(offset: LogOffset): void {
    this.floor = laterOffset(this.floor, offset);
  }

  private appendBehind(lsn: Lsn, lines: PlacedLines): void {
    for (const { position, bytes } of lines) {
      if (compareOffsets(offsetOf(lsn, position), this.place) > 0) this.put(lsn, position, bytes);
      else this.appendNext(bytes);
    }
  }

  /** The position of the last line of this transaction that the log has; lines lie behind it. */
  private takenOf(lsn: Lsn): number {
    const order = compareLsn(lsn, lsnOfOffset(this.end));
    if (order > 0) return -1;
    return order < 0 ? Number.POSITIVE_INFINITY : positionOfOffset(this.end);
  }

  private put(lsn: Lsn, position: number, line: Uint8Array): void {
    this.shapeLog.append(lsn, position, line);
    this.note(lsn, position, line.length, 1);
  }

  /** @param position of the last of `lines` lines, which have `bytes` bytes without their commas. */
  private note(lsn: Lsn, position: number, bytes: number, lines: number): void {
    this.bytes += bytes;
    this.lines += lines;
    this.end = offsetOf(lsn, position);
  }
}
