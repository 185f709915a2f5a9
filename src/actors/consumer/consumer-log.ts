/**
 * ConsumerLog: a Consumer's table, the writing end of its shape's log.
 *
 * A block of whole transactions, or a part of a large one, becomes lines; nobody sees them before `publish`, and then all
 * at once: an offset that is given out is one that can be read. A transaction that the snapshot saw is left out, each by its own visibility
 * and never by its place in the log, because Postgres shows transactions in another order than it logs them.
 *
 * After a restart the log is offered again from where the slowest shape was. What this shape had taken by then is left
 * out by its position, not by the offsets of its lines: a transaction that the snapshot saw left no line to compare with.
 */
import type { Fork } from '../../base/fork.ts';
import { invariant } from '../../base/invariant.ts';
import { Change } from '../../model/change.ts';
import { lsnOfOffset, offsetOf, positionOfOffset, type LogOffset } from '../../model/log-offset.ts';
import type { LogPosition, LogRange } from '../../model/log-position.ts';
import { compareLsn, type Lsn } from '../../model/lsn.ts';
import { isBeyond, isVisible } from '../../model/pg-snapshot.ts';
import type { LogBlock, LoggedTransaction } from '../../model/transaction.ts';
import type { Message, Table } from '../../otp/process.ts';
import { changesByTransaction, type TransactionChanges } from '../../shapes/routed-changes.ts';
import { changesFor, type Delivery, type DeliveryId } from '../../shapes/delivery.ts';
import type { ShapeEnd, ShapeLine } from '../../shapes/change-converter.ts';
import type { ConsumerPorts } from './consumer-ports.ts';
import type { LogEnd } from '../down-cause.ts';

/** Of a transaction in parts, what a shape may hold in memory: to write a few lines at a time would cost many shapes too much. */
const HIDDEN_BYTES_MAX = 16 * 1024;

export type ConsumerLogChange =
  /** Appends what a delivery brings to the shape. */
  | { readonly take: DeliveryId }
  /** Looks itself through all of a block that was loaded for us, or of a part of a transaction, and appends what is the shape's. */
  | { readonly takeUnrouted: LogRange }
  /** Shows readers everything taken so far, the log position included, and wakes those that wait. */
  | { readonly publish: LogPosition }
  /** Where does the shape take the log from? Its snapshot may have sent it back. */
  | 'locate'
  /** Nothing that was offered is left to take: from now on the shape goes along with the others. */
  | 'goAlong'
  /** The others go on without this shape, until it has caught up; answered like `locate`. */
  | 'leavePace';

/** The answers to `take`, `locate` and `leavePace`. The shape must end after `log.ended`: its log cannot go on. */
export type ConsumerLogTold =
  | { readonly type: 'log.located'; readonly position: LogPosition }
  | { readonly type: 'log.taken'; readonly through: LogPosition; readonly end: LogOffset; readonly changed: boolean }
  /** More of the transaction follows: until then nothing of it may be published. `isMuch` where it should leave the memory first. */
  | { readonly type: 'part.taken'; readonly through: LogPosition; readonly isMuch: boolean }
  /** The delivery was closed before it was taken: whoever routed it has ended. */
  | { readonly type: 'log.withdrawn' }
  | { readonly type: 'log.ended'; readonly cause: LogEnd };

export class ConsumerLog implements Table<ConsumerLogChange> {
  private readonly ports: ConsumerPorts;
  /** Behind the last line appended, published or not. */
  private end: LogOffset;
  /** Until it has, nobody waits for this shape: a position that all have passed says nothing about it. */
  private hasCaughtUp: boolean;
  /** Of a transaction that comes in parts, the last line so far: it may be the one that is marked as the last. */
  private heldBack: ShapeLine | undefined;
  /** Bytes of lines of a transaction in parts that are in memory, and that nobody sees yet. */
  private hiddenBytes = 0;

  /** @param ports whose shape log has no other writer; lines that an earlier one left unpublished are forgotten. */
  constructor(ports: ConsumerPorts, original?: ConsumerLog) {
    this.ports = ports;
    if (original === undefined) ports.shapeLog.discard(ports.processedLsn());
    this.end = original?.end ?? ports.shapeLog.end;
    this.hasCaughtUp = original?.hasCaughtUp ?? false;
    this.heldBack = original?.heldBack;
    this.hiddenBytes = original?.hiddenBytes ?? 0;
  }

  apply(change: ConsumerLogChange): Message | undefined {
    if (change === 'goAlong') return this.goAlong();
    if (change === 'leavePace') return this.leavePace();
    if (change === 'locate') return this.locate();
    if ('publish' in change) return this.publish(change.publish);
    if ('takeUnrouted' in change) return this.takeUnrouted(change.takeUnrouted);
    const delivery = this.ports.delivery(change.take);
    if (delivery === undefined) return { type: 'log.withdrawn' };
    return this.take(delivery.block, this.changesFrom(delivery));
  }

  clone(fork: Fork): ConsumerLog {
    return new ConsumerLog(this.ports.clone(fork), this);
  }

  key(): string {
    const heldBack = this.heldBack && [this.heldBack.position, ...this.heldBack.bytes];
    return JSON.stringify([this.ports.shapeLog.handle, this.end, this.hasCaughtUp, heldBack ?? null, this.hiddenBytes]);
  }

  close(): void {
    this.ports.loaded.close();
  }

  private locate(): ConsumerLogTold {
    return { type: 'log.located', position: this.ports.shapeLog.position };
  }

  private goAlong(): undefined {
    // We were left behind, and will hear of it: what all have taken was not all brought to us.
    if (!this.ports.shapeLog.isBrought) return;
    this.hasCaughtUp = true;
    // The collector passes only what each Consumer has answered that it brings something to: so it was offered to us before.
    return this.publish(this.ports.takenByAll());
  }

  private leavePace(): ConsumerLogTold {
    this.hasCaughtUp = false;
    this.ports.shapeLog.leavePace(this.ports.processedLsn());
    return this.locate();
  }

  private publish(position: LogPosition): undefined {
    const { shapeLog, announce } = this.ports;
    const before = shapeLog.end;
    const end = this.hasCaughtUp ? shapeLog.publish(position) : shapeLog.publish(position, 'behind');
    if (end !== before) announce(shapeLog.handle, end);
  }

  private takeUnrouted(range: LogRange): ConsumerLogTold {
    const block = this.ports.loaded.take(range);
    return this.take(block, this.changesOfRelation(block));
  }

  private take({ through }: LogRange, ownChanges: Iterable<TransactionChanges>): ConsumerLogTold {
    let isUnfinished = false;
    for (const { transaction, changes } of ownChanges) {
      isUnfinished = transaction.isUnfinished;
      if (transaction.end <= this.ports.shapeLog.position || this.isInSnapshot(transaction)) continue;
      const converted = this.ports.lines.convert(transaction, changes, this.heldBack);
      if (converted.outcome === 'end') return ended(converted.why, transaction);
      this.heldBack = isUnfinished ? copyOf(converted.lines.at(-1)) : undefined;
      this.append(transaction, isUnfinished ? converted.lines.slice(0, -1) : converted.lines);
    }
    if (isUnfinished) return { type: 'part.taken', through, isMuch: this.takesMuch() };
    this.hiddenBytes = 0;
    return { type: 'log.taken', through, end: this.end, changed: this.end !== this.ports.shapeLog.end };
  }

  /** Each time that it says so, what is hidden leaves the memory. */
  private takesMuch(): boolean {
    const isMuch = this.hiddenBytes > HIDDEN_BYTES_MAX;
    if (isMuch) this.hiddenBytes = 0;
    return isMuch;
  }

  private isInSnapshot({ xid, lsn }: LoggedTransaction): boolean {
    const { shapeLog } = this.ports;
    const { filterBy } = shapeLog;
    if (filterBy === undefined) return false;
    if (!isBeyond(lsn, filterBy)) return isVisible(xid, filterBy);
    shapeLog.stopFiltering(); // From here on no transaction can be visible any more.
    return false;
  }

  private append({ lsn }: LoggedTransaction, lines: readonly ShapeLine[]): void {
    const taken = this.takenOf(lsn);
    for (const { position, bytes } of lines) {
      // A transaction that comes again after a restart is dropped, here as in the shape's log.
      if (position <= taken) continue;
      this.ports.shapeLog.append(lsn, position, bytes);
      this.hiddenBytes += bytes.length;
    }
    const last = lines.at(-1);
    if (last !== undefined && last.position > taken) this.end = offsetOf(lsn, last.position);
  }

  /** The position of the last line of this transaction that the log has; lines lie behind it. */
  private takenOf(lsn: Lsn): number {
    const order = compareLsn(lsn, lsnOfOffset(this.end));
    if (order > 0) return -1;
    return order < 0 ? Number.POSITIVE_INFINITY : positionOfOffset(this.end);
  }

  /** Of a transaction that came in parts, the last one is looked at whatever is in it: a line waits for it. */
  private *changesFrom(delivery: Delivery): Iterable<TransactionChanges> {
    const routed = changesFor(delivery, this.ports.shapeLog.handle);
    if (routed.changes.length > 0) yield* changesByTransaction(delivery.block, routed);
    else for (const transaction of delivery.block.transactions) yield { transaction, changes: [] };
  }

  private *changesOfRelation(block: LogBlock): Iterable<TransactionChanges> {
    for (const transaction of block.transactions) {
      const changes = [...changesOf(transaction)].filter(({ layoutId }) => this.isOwnRelation(layoutId));
      if (changes.length > 0 || transaction.isUnfinished || this.heldBack !== undefined) yield { transaction, changes };
    }
  }

  private isOwnRelation(layoutId: number): boolean {
    const layout = this.ports.layoutOf(layoutId);
    invariant(layout !== undefined, 'the log knows the layout of every change in it');
    const { oid, schema, name } = this.ports.shapeLog.definition.relation;
    // A table of the same name with another oid was made anew: that ends the shape, so it must be seen.
    return layout.oid === oid || (layout.schema === schema && layout.name === name);
  }
}

function copyOf(line: ShapeLine | undefined): ShapeLine | undefined {
  return line && { position: line.position, bytes: line.bytes.slice() };
}

function ended(why: ShapeEnd, { xid, lsn }: LoggedTransaction): ConsumerLogTold {
  return { type: 'log.ended', cause: { delete: why, xid, lsn } };
}

function* changesOf({ fragments }: LoggedTransaction): Iterable<Change> {
  for (const fragment of fragments) {
    for (let at = 0; at < fragment.length; ) {
      const change = new Change(fragment, at);
      yield change;
      at = change.end;
    }
  }
}
