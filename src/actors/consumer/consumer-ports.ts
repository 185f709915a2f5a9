/**
 * What a Consumer needs from outside, as interfaces: its table works on them, and the roof decides what is behind
 * them. Everything here answers at once, from memory; what must be waited for is asked of a port, by message.
 */
import type { Forkable } from '../../base/fork.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { LogPosition, LogRange } from '../../model/log-position.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { RelationLayout } from '../../model/relation.ts';
import type { Handle } from '../../model/shape.ts';
import type { LogBlock } from '../../model/transaction.ts';
import type { Delivery, DeliveryId } from '../../shapes/delivery.ts';
import type { ChangeConverter } from '../../shapes/change-converter.ts';
import type { Pid } from '../../otp/process.ts';
import type { VersionedValues } from '../../shapes/versioned-values.ts';
import type { ShapeLog } from '../../storage/shapes/shape-logs.ts';
import type { HiddenLines } from './hidden-lines.ts';

export interface ConsumerPorts extends Forkable<ConsumerPorts> {
  readonly shapeLog: Pick<
    ShapeLog,
    | 'handle' | 'definition' | 'end' | 'position' | 'isBrought' | 'filterBy'
    | 'append' | 'appendAll' | 'publish' | 'leavePace' | 'discard' | 'stopFiltering'
    | 'views' | 'recordedViews' | 'beginViews' | 'nextSplice' | 'placedBehind' | 'recordSplice' | 'takeSplice'
  >;
  readonly lines: ConsumerLines;
  /** What a Materializer keeps; undefined when it has ended. */
  readonly valuesOf: (materializer: Pid) => VersionedValues | undefined;
  /** Rows of a splice that were read for us. */
  readonly movedRows: MovedRows;
  /** Where the log reader puts the blocks that we ask for. */
  readonly loaded: { take(range: LogRange): LogBlock; close(): void };
  /** Undefined for a delivery whose owner has ended: nothing is to be taken of it. */
  readonly delivery: (id: DeliveryId) => Delivery | undefined;
  readonly layoutOf: (id: number) => RelationLayout | undefined;
  /** Up to here every shape has taken the log that does not lag: `ShapeLogs.position`. */
  readonly takenByAll: () => LogPosition;
  /** The same in Postgres's log, as readers are told; zero before it is known. Undefined when who says so has ended. */
  readonly processedLsn: () => Lsn | undefined;
  /** Wakes the requests that wait for this shape: they read on from what is readable now. */
  readonly announce: (handle: Handle, end: LogOffset) => void;
  /** Left out where each shape has a little alone. */
  readonly hidden?: HiddenLines | undefined;
  /** Told what the shape costs: so many lines, of so many bytes, were made for it. Once for each delivery; nobody may listen. */
  readonly worked?: ShapeWorked | undefined;
}

/** What makes the shape's lines. Each call is one of its own: nothing is kept between two. */
export interface ConsumerLines extends Pick<ChangeConverter, 'convert' | 'askedRows' | 'moveEvent' | 'lastMovedLine' | 'snapshotEnd'> {
  /** Nobody is expected to ask soon. */
  hibernate?(): void;
}

export type ShapeWorked = (handle: Handle, lines: number, bytes: number) => void;

/** Where the rows of a splice lie once they were read. */
export interface MovedRows extends Forkable<MovedRows> {
  /** Whole lines, and the beginning of one that goes on with the next part. Handed over once. */
  take(): Uint8Array;
  close(): void;
}
