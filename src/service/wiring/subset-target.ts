/**
 * SubsetTarget: one query of a part of a shape's rows, and its rows as lines with the mark of their answer. The shape's own filter stands
 * in the query as in that of its snapshot, so no part of it has a row that the shape has not.
 *
 * A client joins the rows to the log by what the snapshot sees. Of a shape with subqueries that is not enough: the rows of a splice are as
 * its query saw them, and a client takes them as they are. So the snapshot is taken while no splice is being made, by the views that
 * the log has reached; and the client must have read all splices before.
 */
import { Change } from '../../model/change.ts';
import { invariant } from '../../base/invariant.ts';
import type { SubsetQuery, SubsetReader } from '../../api/subsets/subset-source.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import type { SubsetQueryTarget } from '../../postgres/snapshot/subset-query-port.ts';
import type { ChangeConverter } from '../../shapes/change-converter.ts';
import { endsShape } from '../../shapes/layout-change.ts';
import { snapshotColumns } from '../../shapes/row-plan.ts';
import type { QueryWithMembers, Where } from '../../sql/where.ts';
import type { TransactionLog } from '../../storage/log/transaction-log.ts';
import type { ShapeLog, ShapeRead } from '../../storage/shapes/shape-logs.ts';
import type { GatheredRows } from './gathered-rows.ts';
import type { ShapeViews } from './shape-views.ts';

export interface SubsetOf {
  readonly shapeLog: ShapeLog;
  readonly log: Pick<TransactionLog, 'firstUnseen'>;
  readonly lines: ChangeConverter;
  readonly where: Where | undefined;
  /** Those of the log's end; undefined while they cannot be asked, or are about to change. */
  readonly views: () => ShapeViews | undefined;
}

/** What the snapshot of a subset shows. */
export interface SubsetSeen {
  readonly pgSnapshot: PgSnapshot;
  /** Of the log as it was then; the snapshot sees what lies before. */
  readonly end: LogOffset;
  /** What lay behind the place of its client then; undefined for one that begins. */
  readonly unread: ShapeRead | undefined;
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
  /** Those of the log before the last snapshot was taken. */
  private viewsBefore: readonly LogOffset[];
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
    this.viewsBefore = of.shapeLog.views;
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
    const { log, shapeLog, views } = this.of;
    const before = this.viewsBefore;
    this.views = views();
    this.viewsBefore = shapeLog.views;
    const hasSpliced = shapeLog.views.some((view, number) => view !== before[number]); // Perhaps by a snapshot that is newer than ours.
    return this.views !== undefined && !hasSpliced && (log.firstUnseen(pgSnapshot) ?? shapeLog.position) >= shapeLog.position;
  }

  begin(pgSnapshot: PgSnapshot, flush: () => Promise<void>): void {
    const { end } = this.of.shapeLog;
    const { since } = this.reader;
    this.seen = { pgSnapshot, end, unread: since === undefined ? undefined : this.of.shapeLog.read(since), flush };
  }

  async rows(fragment: Uint8Array): Promise<void> {
    await this.gathered.write(Buffer.concat([...this.linesOf(fragment)]));
  }

  private *linesOf(fragment: Uint8Array): Iterable<Uint8Array> {
    for (let at = 0; at < fragment.length; ) {
      const change = new Change(fragment, at);
      const row = change.new;
      invariant(row !== undefined, 'a row of a query is an insert');
      if (this.hasRows) yield COMMA;
      this.hasRows = true;
      yield this.of.lines.subsetLine(row, this.known().isMember, this.reader.mark);
      at = change.end;
    }
  }

  private known(): ShapeViews {
    invariant(this.views !== undefined, 'rows are asked for by views that are known');
    return this.views;
  }
}
