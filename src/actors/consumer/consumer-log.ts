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
import { changesIn, type Change } from '../../model/change.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { LogPosition, LogRange } from '../../model/log-position.ts';
import { LSN_ZERO } from '../../model/lsn.ts';
import { isBeyond, isVisible } from '../../model/pg-snapshot.ts';
import type { PlacedLine } from '../../model/placed-lines.ts';
import { isLayoutOf } from '../../model/relation.ts';
import type { LogBlock, LoggedTransaction } from '../../model/transaction.ts';
import type { Message, Pid, Table } from '../../otp/process.ts';
import { changesByTransaction, type TransactionChanges } from '../../shapes/routed-changes.ts';
import { changesFor, type Delivery, type DeliveryId } from '../../shapes/delivery.ts';
import type { ConvertedTransaction } from '../../shapes/change-converter.ts';
import type { MoveKind } from '../../shapes/move-event.ts';
import type { Membership } from '../../sql/where.ts';
import type { ConsumerPorts } from './consumer-ports.ts';
import type { LogEnd } from '../down-cause.ts';
import { FILTER_FAILED, filterFault } from '../snapshot-fault.ts';
import { LineAppender } from './line-appender.ts';
import { SpliceLines, type SpliceDraft, type SpliceTold } from './splice-lines.ts';

/** What a shape may hold of lines in memory in any case: to write a few at a time would cost many shapes too much. */
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
  | 'leavePace'
  /** The Materializers, one for each dependency, and what each has by now. */
  | { readonly depend: readonly Pid[]; readonly offsets: readonly LogOffset[] }
  /** What is to be asked for the moves told up to here? */
  | { readonly plan: readonly LogOffset[] }
  | { readonly record: SpliceDraft }
  /** Appends what a block holds that the query of the recorded splice saw. */
  | { readonly takeSeen: LogRange }
  /** Then what moved in, rows, what moved out, and the end of it. */
  | 'tellMoveIn'
  | 'takeMoved'
  | 'endRows'
  | 'tellMoveOut'
  | 'endSplice';

/** The answers. The shape must end after `log.ended`: its log cannot go on. */
export type ConsumerLogTold =
  | { readonly type: 'log.located'; readonly position: LogPosition }
  | { readonly type: 'log.taken'; readonly through: LogPosition; readonly end: LogOffset; readonly changed: boolean }
  /** More of the transaction follows: until then nothing of it may be published. `isMuch` where it should leave the memory first. */
  | { readonly type: 'part.taken'; readonly through: LogPosition; readonly isMuch: boolean }
  /** The delivery was closed before it was taken: whoever routed it has ended. */
  | { readonly type: 'log.withdrawn' }
  | { readonly type: 'log.ended'; readonly cause: LogEnd }
  /** `recorded`: the views behind all splices that are. */
  | {
      readonly type: 'views.known';
      readonly views: readonly LogOffset[];
      readonly recorded: readonly LogOffset[];
      readonly splice: SpliceTold | null;
    }
  | { readonly type: 'splice.planned'; readonly views: readonly LogOffset[]; readonly needsQuery: boolean }
  | { readonly type: 'splice.recorded'; readonly splice: SpliceTold | null }
  | { readonly type: 'seen.taken'; readonly through: LogPosition; readonly isMuch: boolean }
  /** More is left, and what there is should leave the memory first. */
  | { readonly type: 'moves.partlyTold' }
  | { readonly type: 'moves.areTold' }
  | { readonly type: 'moved.taken'; readonly isMuch: boolean }
  /** The views are what the splice says, and all of it is in the log; the next one may be recorded already. */
  | {
      readonly type: 'splice.taken';
      readonly views: readonly LogOffset[];
      readonly splice: SpliceTold | null;
      readonly end: LogOffset;
      readonly changed: boolean;
    }
  /** Who keeps the values has ended, and so must we: its end is on its way. */
  | { readonly type: 'values.areGone' }
  /** Likewise the collector: its supervisor ends us with it. */
  | { readonly type: 'collector.isGone' };

export class ConsumerLog implements Table<ConsumerLogChange> {
  private readonly ports: ConsumerPorts;
  private readonly appender: LineAppender;
  /** Of a shape that depends on no other none is made. */
  private ownSplices: SpliceLines | undefined;
  /** Until it has, nobody waits for this shape: a position that all have passed says nothing about it. */
  private hasCaughtUp: boolean;
  /** Of a transaction that comes in parts, the last line so far: it may be the one that is marked as the last. */
  private heldBack: PlacedLine | undefined;

  /** @param ports whose shape log has no other writer; lines that an earlier one left unpublished are forgotten. */
  constructor(ports: ConsumerPorts, original?: ConsumerLog) {
    this.ports = ports;
    if (original === undefined) ports.shapeLog.discard(ports.processedLsn() ?? LSN_ZERO);
    this.appender = new LineAppender(ports.shapeLog, original?.appender);
    this.ownSplices = original?.ownSplices && new SpliceLines(ports, this.appender, original.ownSplices);
    this.hasCaughtUp = original?.hasCaughtUp ?? false;
    this.heldBack = original?.heldBack;
  }

  apply(change: ConsumerLogChange): Message | undefined {
    if (change === 'goAlong') return this.goAlong();
    if (change === 'leavePace') return this.leavePace();
    if (change === 'locate') return this.locate();
    if (change === 'tellMoveIn') return this.tellMove('move-in');
    if (change === 'takeMoved') return this.takeMoved();
    if (change === 'endRows') return this.splices.endRows() ? undefined : { type: 'values.areGone' };
    if (change === 'tellMoveOut') return this.tellMove('move-out');
    if (change === 'endSplice') return this.endSplice();
    if ('publish' in change) return this.publish(change.publish);
    if ('takeUnrouted' in change) return this.takeUnrouted(change.takeUnrouted);
    if ('depend' in change) return this.depend(change.depend, change.offsets);
    if ('plan' in change) return this.plan(change.plan);
    if ('record' in change) return this.record(change.record);
    if ('takeSeen' in change) return this.takeSeen(change.takeSeen);
    const delivery = this.ports.delivery(change.take);
    if (delivery === undefined) return { type: 'log.withdrawn' };
    return this.take(delivery.block, this.changesFrom(delivery));
  }

  /** Lines that nobody sees yet. */
  get heldBytes(): number {
    return this.appender.bytes;
  }

  clone(fork: Fork): ConsumerLog {
    return new ConsumerLog(this.ports.clone(fork), this);
  }

  key(): string {
    const heldBack = this.heldBack && [this.heldBack.position, ...this.heldBack.bytes];
    const { end, place, bytes } = this.appender;
    return JSON.stringify([this.ports.shapeLog.handle, end, place, this.hasCaughtUp, heldBack ?? null, bytes, ...this.splices.key()]);
  }

  hibernate(): void {
    this.ports.lines.hibernate?.();
  }

  close(): void {
    // What moves from now on is told to nobody, until the next Consumer of the shape is there. Nor may we have heard of what moved
    // last: others went on when whoever keeps the values had ended, and the word of that comes to us no sooner than now.
    const { shapeLog } = this.ports;
    if (shapeLog.definition.dependencies !== undefined) shapeLog.leavePace(LSN_ZERO);
    this.ports.loaded.close();
    this.ports.movedRows.close();
    this.ports.hidden?.release(this);
  }

  private get splices(): SpliceLines {
    return (this.ownSplices ??= new SpliceLines(this.ports, this.appender));
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
    this.ports.shapeLog.leavePace(this.ports.processedLsn() ?? LSN_ZERO);
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
    const { position } = this.ports.shapeLog;
    const taken = this.convert(ownChanges, (transaction) => transaction.end > position && !this.isInSnapshot(transaction));
    if (taken !== 'unfinished' && taken !== 'whole') return taken;
    if (taken === 'unfinished') return { type: 'part.taken', through, isMuch: this.takesMuch() };
    this.countWork();
    const { end } = this.appender;
    return { type: 'log.taken', through, end, changed: end !== this.ports.shapeLog.end };
  }

  /** Appends what `isOurs` says of it. @returns whether more of its last transaction follows, or why nothing can follow. */
  private convert(ownChanges: Iterable<TransactionChanges>, isOurs: (transaction: LoggedTransaction) => boolean): Taken {
    const { lines, shapeLog } = this.ports;
    const membership = shapeLog.definition.dependencies === undefined ? ALL : this.splices.membership;
    if (membership === undefined) return { type: 'values.areGone' };
    let isUnfinished = false;
    for (const { transaction, changes } of ownChanges) {
      isUnfinished = transaction.isUnfinished;
      if (!isOurs(transaction)) continue;
      const converted = lines.convert(transaction, changes, this.heldBack, membership);
      if (converted.outcome !== 'lines') return ended(converted, transaction);
      this.heldBack = isUnfinished ? copyOf(converted.lines.last) : undefined;
      this.appender.append(transaction.lsn, isUnfinished ? converted.lines.withoutLast() : converted.lines);
      if (!isUnfinished) this.appender.finish();
    }
    return isUnfinished ? 'unfinished' : 'whole';
  }

  /** Each time that it says so, what is hidden leaves the memory. */
  private takesMuch(): boolean {
    const { bytes } = this.appender;
    const isMuch = bytes > HIDDEN_BYTES_MAX && this.ports.hidden?.mayStay(this, bytes) !== true;
    if (isMuch) this.countWork();
    return isMuch;
  }

  private countWork(): void {
    const { appender, ports } = this;
    if (appender.lines > 0) ports.worked?.(ports.shapeLog.handle, appender.lines, appender.bytes);
    appender.lines = 0;
    appender.bytes = 0;
    ports.hidden?.release(this);
  }

  private depend(materializers: readonly Pid[], offsets: readonly LogOffset[]): ConsumerLogTold {
    this.splices.depend(materializers, offsets);
    const { views, recordedViews: recorded } = this.ports.shapeLog;
    return { type: 'views.known', views, recorded, splice: this.splices.next };
  }

  private plan(told: readonly LogOffset[]): ConsumerLogTold {
    const planned = this.splices.plan(told);
    return planned === undefined ? { type: 'values.areGone' } : { type: 'splice.planned', ...planned };
  }

  private record(draft: SpliceDraft): ConsumerLogTold {
    return this.splices.record(draft) ? { type: 'splice.recorded', splice: this.splices.next } : { type: 'collector.isGone' };
  }

  private takeSeen(range: LogRange): ConsumerLogTold {
    const block = this.ports.loaded.take(range);
    this.splices.begin();
    const taken = this.convert(this.changesOfRelation(block), (transaction) => this.splices.isSeen(transaction));
    if (taken !== 'unfinished' && taken !== 'whole') return taken;
    return { type: 'seen.taken', through: range.through, isMuch: this.takesMuch() };
  }

  private tellMove(kind: MoveKind): ConsumerLogTold {
    this.splices.begin();
    for (;;) {
      const told = this.splices.appendEvent(kind);
      if (told === undefined) return { type: 'values.areGone' };
      if (told === 'all') return { type: 'moves.areTold' };
      if (this.takesMuch()) return { type: 'moves.partlyTold' };
    }
  }

  private takeMoved(): ConsumerLogTold {
    this.splices.appendRows();
    return { type: 'moved.taken', isMuch: this.takesMuch() };
  }

  private endSplice(): ConsumerLogTold {
    this.splices.finish();
    this.countWork();
    const { shapeLog } = this.ports;
    const { end } = this.appender;
    return { type: 'splice.taken', views: shapeLog.views, splice: this.splices.next, end, changed: end !== shapeLog.end };
  }

  private isInSnapshot({ xid, lsn }: LoggedTransaction): boolean {
    const { shapeLog } = this.ports;
    const { filterBy } = shapeLog;
    if (filterBy === undefined) return false;
    if (!isBeyond(lsn, filterBy)) return isVisible(xid, filterBy);
    shapeLog.stopFiltering(); // From here on no transaction can be visible any more.
    return false;
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
    return isLayoutOf(layout, this.ports.shapeLog.definition.relation);
  }
}

type LogEnding = Exclude<ConvertedTransaction, { outcome: 'lines' }>;
type Taken = 'unfinished' | 'whole' | Extract<ConsumerLogTold, { type: 'log.ended' | 'values.areGone' }>;

/** A filter without subqueries asks nobody. */
const ALL: Membership = () => true;

function copyOf(line: PlacedLine | undefined): PlacedLine | undefined {
  return line && { position: line.position, bytes: line.bytes.slice() };
}

function ended(end: LogEnding, { xid, lsn }: LoggedTransaction): Extract<ConsumerLogTold, { type: 'log.ended' }> {
  if (end.outcome === 'end') return { type: 'log.ended', cause: { delete: end.why, xid, lsn } };
  return { type: 'log.ended', cause: { delete: FILTER_FAILED, error: filterFault(end.error), xid, lsn } };
}

function* changesOf({ fragments }: LoggedTransaction): Iterable<Change> {
  for (const fragment of fragments) yield* changesIn(fragment);
}
