/**
 * SubsetTarget: one query of a part of a shape's rows, and its rows as lines with the mark of their answer. The shape's own filter stands
 * in the query as in that of its snapshot, so no part of it has a row that the shape has not.
 *
 * The rows are chosen by the views of a place in the shape's log, which was there before the snapshot was taken, so that it sees all that
 * lies before. A client joins them to what lies behind by what the snapshot sees. Of a shape with subqueries that is not enough: the rows
 * of a splice are as its query saw them, and what it takes it takes by what they had. So a subset is read in between of splices, and who
 * has yet to read of one is told to.
 */
import { changesIn } from '../../../model/change.ts';
import { invariant } from '../../../base/invariant.ts';
import type { SubsetQuery, SubsetReader } from '../../../api/subsets/subset-source.ts';
import type { LogOffset } from '../../../model/log-offset.ts';
import type { PgSnapshot } from '../../../model/pg-snapshot.ts';
import type { SubsetQueryTarget } from '../../../postgres/snapshot/subset-query-port.ts';
import type { ChangeConverter } from '../../../shapes/change-converter.ts';
import { endsShape } from '../../../shapes/layout-change.ts';
import { snapshotColumns } from '../../../shapes/row-plan.ts';
import type { QueryWithMembers, Where } from '../../../sql/where.ts';
import type { TransactionLog } from '../../../storage/log/transaction-log.ts';
import type { ShapeLog } from '../../../storage/shapes/shape-logs.ts';
import type { GatheredRows } from './gathered-rows.ts';
import type { ShapeViews } from '../shape-views.ts';
import { tellsMoves } from './unread-moves.ts';

export interface SubsetOf {
  readonly shapeLog: ShapeLog;
  readonly log: Pick<TransactionLog, 'firstUnseen'>;
  readonly lines: ChangeConverter;
  readonly where: Where | undefined;
  /** What they select is kept until others are held. Undefined while they cannot be asked. */
  readonly holdViewsAt: (views: readonly LogOffset[]) => ShapeViews | undefined;
  /** Rows that move from now on are read by a snapshot that sees all of this one. */
  readonly shown: (pgSnapshot: PgSnapshot) => void;
  /** They are about to change, or may be. */
  readonly isSplicing: () => boolean;
}

/** As the log had it before a snapshot was taken. */
interface Place extends Pick<ShapeLog, 'end' | 'position' | 'publishedViews'> {
  /** From where the client goes on, if it can join what lies behind that. */
  readonly from: LogOffset;
}

/**
 * What a client does with the log behind `from`: it leaves out what the snapshot has seen, or takes all of it once more. It can do neither
 * where an event is among it: that takes rows from it by what they had then, which it has as they are now.
 */
export type Joined = { readonly from: LogOffset; readonly by: 'leavingOut' | 'takingAll' } | 'never';

/** What the snapshot of a subset shows. */
export interface SubsetSeen {
  readonly pgSnapshot: PgSnapshot;
  /** How its client goes on. Rejects when the shape is over. */
  readonly joined: Promise<Joined>;
  readonly flush: () => Promise<void>;
}

const COMMA = Buffer.from(',');

export class SubsetTarget implements SubsetQueryTarget {
  readonly relation;
  readonly columns;
  readonly order: string | undefined;
  readonly limit: number | undefined;
  readonly offset: number | undefined;
  readonly signal: AbortSignal;
  /** Once its snapshot is known. */
  seen: SubsetSeen | undefined;
  private views: ShapeViews | undefined;
  private place: Place;
  private hasRows = false;

  constructor(
    private readonly of: SubsetOf,
    private readonly reader: SubsetReader,
    private readonly query: SubsetQuery,
    private readonly gathered: GatheredRows,
    signal: AbortSignal,
  ) {
    const { definition } = of.shapeLog;
    this.relation = definition.relation;
    this.columns = snapshotColumns(definition).map(({ name }) => name);
    this.order = query.order?.sql;
    this.limit = query.limit;
    this.offset = query.offset;
    this.signal = signal;
    this.place = this.placeNow();
  }

  get where(): QueryWithMembers | undefined {
    const { where } = this.of;
    const own = where?.subqueries === undefined ? where?.query : where.subqueries.queryWith(this.known().texts());
    const further = this.query.filter?.queryBehind(own?.params.length ?? 0);
    if (own === undefined || further === undefined) return own ?? further;
    return { sql: `(${own.sql}) AND (${further.sql})`, params: [...own.params, ...further.params] };
  }

  accepts(found: Parameters<typeof endsShape>[0]): boolean {
    return !endsShape(found, this.of.shapeLog.definition);
  }

  isNewEnough(pgSnapshot: PgSnapshot): boolean {
    const { log, holdViewsAt } = this.of;
    const { position, publishedViews } = this.place;
    this.views = holdViewsAt(publishedViews);
    if (this.views !== undefined && !this.isAmidSplices() && (log.firstUnseen(pgSnapshot) ?? position) >= position) return true;
    this.place = this.placeNow();
    return false;
  }

  begin(pgSnapshot: PgSnapshot, flush: () => Promise<void>): void {
    this.of.shown(pgSnapshot);
    const joined = this.joined(this.place);
    joined.catch(() => {}); // Whoever awaits it is told.
    this.seen = { pgSnapshot, joined, flush };
  }

  async rows(fragment: Uint8Array): Promise<void> {
    await this.gathered.write(Buffer.concat([...this.linesOf(fragment)]));
  }

  /**
   * Then nobody can say yet which rows the client has to have. A splice that is recorded has its rows as its query saw them, and a
   * restart may be between the two: our snapshot is newer, and the client would leave out what has changed in between.
   */
  private isAmidSplices(): boolean {
    const { shapeLog, isSplicing } = this.of;
    if (shapeLog.definition.dependencies === undefined) return false;
    if (isSplicing() || shapeLog.nextSplice !== undefined) return true;
    return shapeLog.views.some((view, number) => view !== this.place.publishedViews[number]);
  }

  /** Others that begin meanwhile must hear of its end at once, and not when its snapshot is there. */
  private placeNow(): Place {
    const { end, position, publishedViews } = this.of.shapeLog;
    return { end, position, publishedViews, from: this.reader.from(end) };
  }

  private async joined({ from, end }: Place): Promise<Joined> {
    const { dependencies, moveOuts, log } = this.of.shapeLog.definition;
    if (dependencies === undefined) return { from, by: 'leavingOut' };
    // A delete that tells a move names the transaction that moved, which is none of its row's own: it must not be left out by that.
    if (moveOuts === 'deletes') return { from, by: 'takingAll' };
    // Who gets all rows by the log looks at these until they are there, and joins nothing.
    if (log === 'full') return { from, by: 'takingAll' };
    if (this.reader.isNew) return { from: await this.startOf(from, end), by: 'leavingOut' };
    return (await this.hasMovedSince(from)) ? 'never' : { from, by: 'leavingOut' };
  }

  /** Of one that begins: behind the last move, where others that it may have begun with have a move behind them. */
  private async startOf(first: LogOffset, end: LogOffset): Promise<LogOffset> {
    let from = first;
    while (from !== end && (await this.hasMovedSince(from))) from = this.reader.fromBehind(from, end);
    return from;
  }

  private hasMovedSince(offset: LogOffset): Promise<boolean> {
    return tellsMoves(this.of.shapeLog, offset);
  }

  private *linesOf(fragment: Uint8Array): Iterable<Uint8Array> {
    for (const { new: row } of changesIn(fragment)) {
      invariant(row !== undefined, 'a row of a query is an insert');
      if (this.hasRows) yield COMMA;
      this.hasRows = true;
      yield this.of.lines.subsetLine(row, this.known().isMember, this.reader.mark);
    }
  }

  private known(): ShapeViews {
    invariant(this.views !== undefined, 'rows are asked for by views that are known');
    return this.views;
  }
}
