/**
 * SpliceLines: what a change of a shape's views puts into its log, and by which views its other lines are chosen.
 *
 * Everything here follows from the record of the splice, the log and the values by version, so that the lines are the same
 * whenever they are made: see `docs/dependent-shapes.md`.
 */
import { invariant } from '../../base/invariant.ts';
import { joinedBytes } from '../../base/joined-bytes.ts';
import { compareOffsets, offsetOf, type LogOffset } from '../../model/log-offset.ts';
import type { LogPosition } from '../../model/log-position.ts';
import { LSN_ZERO, maxLsn } from '../../model/lsn.ts';
import { isBeyond, isVisible, type PgSnapshot } from '../../model/pg-snapshot.ts';
import type { LoggedTransaction } from '../../model/transaction.ts';
import type { Pid } from '../../otp/process.ts';
import { ROW_END } from '../../shapes/line-format.ts';
import { moveBetween, type MemberMove } from '../../shapes/member-moves.ts';
import type { MoveKind } from '../../shapes/move-event.ts';
import type { Membership } from '../../sql/where.ts';
import type { ChunkSums } from '../../storage/shapes/piece.ts';
import type { ConsumerPorts } from './consumer-ports.ts';
import type { VersionedValues } from '../../shapes/versioned-values.ts';
import type { LineAppender } from './line-appender.ts';

/** What one splice moves at the most: the rest is the next one. */
export const SPLICED_VALUES_MAX = 10_000;

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

/** What is told of the moves of a splice, and how many events have told it so far. */
interface MovesTelling {
  readonly kind: MoveKind;
  readonly moves: readonly MemberMove[];
  readonly told: number;
}

export class SpliceLines {
  private materializers: readonly Pid[] = [];
  /**
   * Until Postgres has said where it stands: an earlier incarnation may have told of more than is known here, and no entry may come
   * behind that.
   */
  private hasAsked = false;
  /** Parts of the row whose end is yet to be read. */
  private readonly open: Uint8Array[] = [];
  /** Where no events tell what moved, the last row so far: one of them is marked as the last. */
  private heldRow: Uint8Array | undefined;
  private telling: MovesTelling | undefined;
  /** What moved from these views to those, while the lines are made: they ask several times, and it is the same each time. */
  private spanned: { readonly span: string; readonly moves: readonly MemberMove[] } | undefined;

  constructor(
    private readonly ports: ConsumerPorts,
    private readonly appender: LineAppender,
    original?: SpliceLines,
  ) {
    if (original === undefined) return;
    this.materializers = original.materializers;
    this.open.push(...original.open);
    this.hasAsked = original.hasAsked;
    this.heldRow = original.heldRow;
    this.telling = original.telling;
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
    const after: LogOffset[] = [];
    for (const [number, view] of this.ports.shapeLog.views.entries()) {
      const values = this.valuesOf(number);
      if (values === undefined) return undefined;
      after.push(compareOffsets(told[number] ?? view, view) > 0 ? values.movesThrough(view, SPLICED_VALUES_MAX) : view);
    }
    const moves = this.movesTo(after);
    this.spanned = undefined; // Ten thousand shapes may wait for their queries, each about the same moves.
    return moves && { views: after, needsQuery: !this.hasAsked || this.asksRows(moves) };
  }

  /** @returns false, with nothing recorded, when nobody can say what readers were told: no entry may come behind that. */
  record(draft: SpliceDraft): boolean {
    const processed = this.ports.processedLsn();
    if (processed === undefined) return false;
    const asked = draft.pgSnapshot?.insertLsn ?? LSN_ZERO;
    this.hasAsked ||= draft.pgSnapshot !== null;
    this.ports.shapeLog.recordSplice({ ...draft, first: offsetOf(maxLsn(asked, processed), 0) });
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

  /**
   * Appends the next event of its kind. What becomes true is told before what becomes false, and the rows between.
   *
   * @returns `all` when there was none left, and undefined when a Materializer has ended.
   */
  appendEvent(kind: MoveKind): 'one' | 'all' | undefined {
    if (!this.tellsEvents) return 'all';
    if (this.telling?.kind !== kind) this.telling = this.beginTelling(kind);
    if (this.telling === undefined) return undefined;
    const { moves, told } = this.telling;
    const line = this.ports.lines.moveEvent(kind, moves, told);
    if (line === undefined) return 'all';
    this.appender.appendNext(line);
    this.telling = { ...this.telling, told: told + 1 };
    return 'one';
  }

  /** Rows of the query, as they were read. */
  appendRows(): void {
    const part = this.ports.movedRows.take();
    let from = 0;
    for (let end = part.indexOf(ROW_END); end !== -1; end = part.indexOf(ROW_END, from)) {
      this.appendRow(joinedBytes([...this.open, part.subarray(from, end)]));
      this.open.length = 0;
      from = end + 1;
    }
    if (from < part.length) this.open.push(part.slice(from));
  }

  /** Behind the rows. @returns false when a Materializer has ended. */
  endRows(): boolean {
    const { pgSnapshot, rows } = this.recorded;
    invariant(this.open.length === 0, 'the rows of a splice end with a row');
    if (this.tellsEvents) {
      if (pgSnapshot !== null && rows !== null) this.appender.appendNext(this.ports.lines.snapshotEnd(pgSnapshot));
    } else if (this.heldRow !== undefined) {
      const moves = this.movesTo(this.recorded.views);
      if (moves === undefined) return false;
      this.appender.appendNext(this.ports.lines.lastMovedLine(this.heldRow, moves));
      this.heldRow = undefined;
    }
    return true;
  }

  /** The moves are told: the new views hold. */
  finish(): void {
    this.telling = undefined;
    this.spanned = undefined;
    this.appender.finish();
    this.ports.shapeLog.takeSplice();
  }

  key(): readonly unknown[] {
    const { kind, told } = this.telling ?? {};
    const open = this.open.flatMap((part) => [...part]);
    const held = this.heldRow === undefined ? null : [...this.heldRow];
    return [this.materializers, this.ports.shapeLog.views, this.next, this.hasAsked, open, held, kind ?? null, told ?? 0];
  }

  private get recorded() {
    const { nextSplice } = this.ports.shapeLog;
    invariant(nextSplice !== undefined, 'a splice is recorded before its lines are made');
    return nextSplice;
  }

  private get tellsEvents(): boolean {
    return this.ports.shapeLog.definition.moveOuts !== 'deletes';
  }

  private appendRow(row: Uint8Array): void {
    if (this.tellsEvents) return this.appender.appendNext(row);
    if (this.heldRow !== undefined) this.appender.appendNext(this.heldRow);
    this.heldRow = row.slice();
  }

  private beginTelling(kind: MoveKind): MovesTelling | undefined {
    const moves = this.movesTo(this.recorded.views);
    return moves && { kind, moves, told: 0 };
  }

  /** By number of the dependency; undefined when a Materializer has ended. */
  private movesTo(after: readonly LogOffset[]): readonly MemberMove[] | undefined {
    const { views } = this.ports.shapeLog;
    const kept = views.flatMap((_, number) => this.valuesOf(number) ?? []);
    if (kept.length < views.length) return undefined;
    const span = [...views, ...after].join(' ');
    if (this.spanned?.span === span) return this.spanned.moves;
    const moves = kept.map((values, number) => {
      const view = views[number] ?? values.offset;
      return moveBetween(values, view, after[number] ?? view);
    });
    this.spanned = { span, moves };
    return moves;
  }

  private asksRows(moves: readonly MemberMove[]): boolean {
    const asked = this.ports.lines.askedRows(moves);
    return asked === 'any' || asked.some(({ length }) => length > 0);
  }

  private valuesOf(number: number): VersionedValues | undefined {
    const materializer = this.materializers[number];
    return materializer === undefined ? undefined : this.ports.valuesOf(materializer);
  }
}
