/**
 * SpliceLines: what a change of a shape's views puts into its log, and by which views its other lines are chosen.
 *
 * Everything here follows from the record of the splice, the log and the values by version, so that the lines are the same
 * whenever they are made: see `docs/dependent-shapes.md`.
 */
import { invariant } from '../../base/invariant.ts';
import { compareOffsets, offsetOf, type LogOffset } from '../../model/log-offset.ts';
import type { LogPosition } from '../../model/log-position.ts';
import { LSN_ZERO, maxLsn } from '../../model/lsn.ts';
import { isBeyond, isVisible, type PgSnapshot } from '../../model/pg-snapshot.ts';
import type { LoggedTransaction } from '../../model/transaction.ts';
import type { Pid } from '../../otp/process.ts';
import type { Membership } from '../../sql/where.ts';
import type { ChunkSums } from '../../storage/shapes/piece.ts';
import type { ConsumerPorts, Moved, VersionedValues } from './consumer-ports.ts';
import type { LineAppender } from './line-appender.ts';

/** What one splice moves at the most: the rest is the next one. */
export const SPLICED_VALUES_MAX = 10_000;
/** Between the rows that a query brought: JSON has no line feed of its own. */
export const ROW_END = 0x0a;

/** What a machine is told of a splice that is recorded. */
export interface SpliceTold {
  readonly place: LogPosition;
  readonly through: LogPosition;
  readonly views: readonly LogOffset[];
  readonly rowBytes: number;
}

export interface SpliceDraft {
  readonly place: LogPosition;
  readonly through: LogPosition;
  readonly views: readonly LogOffset[];
  readonly pgSnapshot: PgSnapshot | null;
  readonly rows: ChunkSums | null;
}

export class SpliceLines {
  private materializers: readonly Pid[] = [];
  /**
   * Until Postgres has said where it stands: an earlier incarnation may have told of more than is known here, and no entry may come
   * behind that.
   */
  private hasAsked = false;
  /** The beginning of a row whose end is yet to be read. */
  private open: Uint8Array = new Uint8Array();

  constructor(
    private readonly ports: ConsumerPorts,
    private readonly appender: LineAppender,
    original?: SpliceLines,
  ) {
    if (original === undefined) return;
    this.materializers = original.materializers;
    this.open = original.open;
    this.hasAsked = original.hasAsked;
  }

  /** Undefined when a Materializer has ended: then nothing can be chosen, and its end is on its way to us. */
  get membership(): Membership | undefined {
    const kept = this.materializers.map((materializer) => this.ports.valuesOf(materializer));
    if (kept.includes(undefined)) return undefined;
    const { views } = this.ports.shapeLog;
    return (number, value) => {
      const at = views[number];
      invariant(at !== undefined, 'a shape has a view of each of its dependencies');
      return kept[number]?.has(value, at) === true;
    };
  }

  /** @param offsets what the Materializers have by now: with these a new shape begins. */
  depend(materializers: readonly Pid[], offsets: readonly LogOffset[]): void {
    this.materializers = materializers;
    if (this.ports.shapeLog.views.length === 0) this.ports.shapeLog.beginViews(offsets);
  }

  get next(): SpliceTold | null {
    const { nextSplice } = this.ports.shapeLog;
    if (nextSplice === undefined) return null;
    const { place, through, views, rows } = nextSplice;
    return { place, through, views, rowBytes: rows?.bytes ?? 0 };
  }

  /**
   * The views after the next splice.
   *
   * @param told up to where each Materializer has told of moves.
   * @returns undefined when one has ended.
   */
  plan(told: readonly LogOffset[]): { readonly views: readonly LogOffset[]; readonly needsQuery: boolean } | undefined {
    const { views, definition } = this.ports.shapeLog;
    const after: LogOffset[] = [];
    let needsQuery = !this.hasAsked;
    for (const [number, view] of views.entries()) {
      const values = this.valuesOf(number);
      if (values === undefined) return undefined;
      const next = compareOffsets(told[number] ?? view, view) > 0 ? values.movesThrough(view, SPLICED_VALUES_MAX) : view;
      const { movedIn, movedOut } = values.movesBetween(view, next);
      needsQuery ||= movedIn.length > 0 || (movedOut.length > 0 && definition.moveOuts === 'deletes');
      after.push(next);
    }
    return { views: after, needsQuery };
  }

  /** @returns false, with nothing recorded, when nobody can say what readers were told: no entry may come behind that. */
  record(draft: SpliceDraft): boolean {
    const processed = this.ports.processedLsn();
    if (processed === undefined) return false;
    const asked = draft.pgSnapshot?.insertLsn ?? LSN_ZERO;
    this.hasAsked ||= draft.pgSnapshot !== null;
    const told = offsetOf(maxLsn(asked, processed), 0);
    const first = compareOffsets(told, this.appender.end) > 0 ? told : this.appender.end;
    this.ports.shapeLog.recordSplice({ ...draft, first });
    return true;
  }

  /** Whether a transaction comes in before the moves: the query saw it, and what was asked before did not. */
  isSeen({ xid, lsn, end }: LoggedTransaction): boolean {
    const { shapeLog } = this.ports;
    const { pgSnapshot } = this.recorded;
    if (pgSnapshot === null || end <= shapeLog.position) return false;
    const wasSeen = shapeLog.filterBy !== undefined && !isBeyond(lsn, shapeLog.filterBy) && isVisible(xid, shapeLog.filterBy);
    return !wasSeen && !isBeyond(lsn, pgSnapshot) && isVisible(xid, pgSnapshot);
  }

  /** Before the first line of the splice. */
  begin(): void {
    this.appender.goOnBehind(this.recorded.first);
  }

  /** What becomes true is told before what becomes false. @returns false when a Materializer has ended. */
  appendMovesIn(): boolean {
    return this.appendMoves('move-in', ({ movedIn }) => movedIn);
  }

  /** Rows of the query, as they were read. */
  appendRows(): void {
    const rows = joined(this.open, this.ports.movedRows.take());
    let from = 0;
    for (let end = rows.indexOf(ROW_END); end !== -1; end = rows.indexOf(ROW_END, from)) {
      this.appender.appendNext(rows.subarray(from, end));
      from = end + 1;
    }
    this.open = rows.slice(from);
  }

  /** The moves are told: the new views hold. @returns false when a Materializer has ended. */
  finish(): boolean {
    const { pgSnapshot, rows } = this.recorded;
    invariant(this.open.length === 0, 'the rows of a splice end with a row');
    if (pgSnapshot !== null && rows !== null && this.tellsEvents) this.appender.appendNext(this.ports.lines.snapshotEnd(pgSnapshot));
    if (!this.appendMoves('move-out', ({ movedOut }) => movedOut)) return false;
    this.ports.shapeLog.takeSplice();
    return true;
  }

  key(): readonly unknown[] {
    return [this.materializers, this.ports.shapeLog.views, this.next, this.hasAsked, [...this.open]];
  }

  private get recorded() {
    const { nextSplice } = this.ports.shapeLog;
    invariant(nextSplice !== undefined, 'a splice is recorded before its lines are made');
    return nextSplice;
  }

  private get tellsEvents(): boolean {
    return this.ports.shapeLog.definition.moveOuts !== 'deletes';
  }

  private appendMoves(event: 'move-in' | 'move-out', of: (moved: Moved) => Moved['movedIn']): boolean {
    if (!this.tellsEvents) return true;
    const moves: Moved[] = [];
    for (const [number, view] of this.ports.shapeLog.views.entries()) {
      const moved = this.valuesOf(number)?.movesBetween(view, this.recorded.views[number] ?? view);
      if (moved === undefined) return false;
      moves.push(moved);
    }
    const xids = [...new Set(moves.flatMap((moved) => moved.xids))].sort((left, right) => left - right);
    const line = this.ports.lines.moveEvent(event, moves.map((moved) => of(moved).map(({ value }) => value)), xids);
    if (line !== undefined) this.appender.appendNext(line);
    return true;
  }

  private valuesOf(number: number): VersionedValues | undefined {
    const materializer = this.materializers[number];
    return materializer === undefined ? undefined : this.ports.valuesOf(materializer);
  }
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length === 0) return right;
  const bytes = new Uint8Array(left.length + right.length);
  bytes.set(left);
  bytes.set(right, left.length);
  return bytes;
}
