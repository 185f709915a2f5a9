/**
 * HandOverModel: the world of a hand-over as a value. One table and its transactions, the transaction log, the log of one
 * shape, and the blocks and deliveries that are in memory between two processes.
 *
 * Transactions commit in the order of the script, which is the order of the log. When each is shown is open: Postgres streams
 * a commit before its snapshots see it.
 */
import { nextLife as productionLife, type Life, type LifeEvent } from '../../../src/actors/directory/handle-life.ts';
import { consumerOf } from '../../../src/actors/shape-processes.ts';
import { Fork } from '../../../src/base/fork.ts';
import { invariant } from '../../../src/base/invariant.ts';
import { placeAt, type EntryPlace } from '../../../src/model/log-entry.ts';
import { compareOffsets, isInSnapshot, type LogOffset } from '../../../src/model/log-offset.ts';
import type { LogPosition, LogRange } from '../../../src/model/log-position.ts';
import { LSN_ZERO, type Lsn } from '../../../src/model/lsn.ts';
import { isVisible, type PgSnapshot } from '../../../src/model/pg-snapshot.ts';
import type { Handle, ShapeDefinition } from '../../../src/model/shape.ts';
import type { LogBlock } from '../../../src/model/transaction.ts';
import type { Pid } from '../../../src/otp/process.ts';
import { ChangeConverter } from '../../../src/shapes/change-converter.ts';
import { LineReader } from '../../../src/shapes/line-reader.ts';
import { ShapeBlocks } from '../../../src/storage/shapes/shape-blocks.ts';
import { tupleOf, type Row, type RowChange } from '../../support/actors/changes.ts';
import { ModelShapeLogs, type ModelShapeLog } from '../../support/storage/model-shape-logs.ts';
import type { World } from '../checker/system.ts';
import type { OpenDeliveries } from './model-deliveries.ts';
import type { ScriptedLog, ScriptedTransaction } from './scripted-log.ts';

export const HANDLE = '1-1' as Handle;
export const CONSUMER = consumerOf(HANDLE);
export const COLUMN = 'value';
/** No transaction has a lower one. */
export const FIRST_XID = 700;

interface Remembered {
  /** How many transactions are committed, and in the log. */
  readonly committed: number;
  /** Which of them snapshots see; all of them once the snapshot was taken or the shape is gone: it makes no difference any more. */
  readonly shown: readonly number[];
  readonly pgSnapshot: PgSnapshot | undefined;
  readonly snapshotRows: number;
  /** As the directory leads it, where shapes sleep: live for as long as none does. */
  readonly life: Life;
  /** The Consumer that may sleep, by its word, and the last one that has slept, as it knows. */
  readonly drowsy: string;
  readonly slept: string;
  /** Of the last Consumer that ended. */
  readonly hasDrained: boolean;
  /** The shape was deleted, and never comes again. */
  readonly isGone: boolean;
  /** The operations that the table of the Materializer which lives was given, as offsets; a row of the snapshot is `snapshot`. */
  readonly applied: readonly string[];
  /** For whom `history` is read; empty while there is nobody. */
  readonly follower: string;
  /** What lies in `history`, and is not yet taken. */
  readonly historyRead: string;
}

const NOTHING: Remembered = {
  committed: 0, shown: [], pgSnapshot: undefined, snapshotRows: 0, life: 'live', drowsy: '', slept: '', hasDrained: false, isGone: false,
  applied: [], follower: '', historyRead: '',
};

export class HandOverModel implements World<HandOverModel> {
  constructor(
    readonly log: ScriptedLog,
    readonly definition: ShapeDefinition,
    public is: Remembered = NOTHING,
    readonly shapes = new ModelShapeLogs(),
    readonly history = new ShapeBlocks(),
    readonly deliveries: OpenDeliveries = new Map(),
    /** Loaded for each process, and not yet taken. */
    readonly loaded = new Map<string, LogBlock>(),
    /** What an event makes of the shape's life. */
    private readonly nextLife = productionLife,
  ) {}

  clone(): HandOverModel {
    const fork = new Fork();
    const { log, definition, is, shapes, history, deliveries, loaded, nextLife } = this;
    return new HandOverModel(log, definition, is, shapes.clone(fork), history.clone(fork), new Map(deliveries), new Map(loaded), nextLife);
  }

  key(): string {
    const open = Array.from(this.deliveries.values(), ({ id, layers }) => [id, layers.map((layer) => [...layer.keys()])]);
    const loaded = Array.from(this.loaded, ([owner, { after, through }]) => [owner, after, through]).sort();
    return JSON.stringify([this.is, this.shapes.position, this.shapeKey, open.sort(), loaded]);
  }

  /** Of a filter, only whether it may still leave something out: not when the shape has taken all that its snapshot sees. */
  private get shapeKey(): unknown {
    const { shapeLog } = this;
    if (shapeLog === undefined) return null;
    const { definition: _, filterBy, publishedFilter, ...state } = shapeLog.state;
    return [state, ...[filterBy, publishedFilter].map((filter) => filter !== undefined && this.seesBehind(filter, state.pace.position))];
  }

  private seesBehind(snapshot: PgSnapshot, position: LogPosition): boolean {
    const { log } = this;
    return log.transactions.some(({ xid }, index) => log.endOf(index + 1).through > position && isVisible(xid, snapshot));
  }

  get shapeLog(): ModelShapeLog | undefined {
    return this.shapes.get(HANDLE);
  }

  /** As of the last commit. */
  get rows(): readonly Row[] {
    return rowsAfter(this.log.transactions.slice(0, this.is.committed));
  }

  /** Who writes a row waits until the last who wrote it is shown. */
  get mayCommit(): boolean {
    const { transactions } = this.log;
    const next = transactions[this.is.committed];
    if (next === undefined) return false;
    const written = new Set(next.changes.map(keyOf));
    return this.hidden.every((index) => transactions[index]?.changes.every((change) => !written.has(keyOf(change))));
  }

  get hidden(): readonly number[] {
    return this.everything.filter((index) => !this.is.shown.includes(index));
  }

  commit(): void {
    const { committed, shown, pgSnapshot, isGone } = this.is;
    this.is = { ...this.is, committed: committed + 1, shown: pgSnapshot === undefined && !isGone ? shown : [...shown, committed] };
  }

  show(index: number): void {
    this.is = { ...this.is, shown: [...this.is.shown, index].sort((one, other) => one - other) };
  }

  /** @returns whether the shape is to have a Consumer, which begins then. */
  live(event: LifeEvent): boolean {
    const { is, shapeLog, nextLife } = this;
    if (shapeLog === undefined) return false;
    const life = nextLife(is.life, event, HANDLE);
    const slept = event === 'consumer.slept' ? is.drowsy : is.slept;
    this.is = { ...is, life: life === 'reserved' ? 'live' : life, slept };
    return life === 'reserved';
  }

  /** @returns whether it may, as the directory knows: nobody speaks of one that has slept. */
  letSleep(consumer: string): boolean {
    const { life, slept } = this.is;
    if (this.shapeLog === undefined || life !== 'live' || consumer === slept) return false;
    this.live('shape.idle');
    this.is = { ...this.is, drowsy: consumer };
    return true;
  }

  stay(consumer: string): void {
    const { life, slept } = this.is;
    if ((life === 'drowsy' || life === 'roused') && consumer !== slept) this.live('shape.stayed');
  }

  noteEnd(hasDrained: boolean): void {
    this.is = { ...this.is, hasDrained, isGone: !hasDrained };
    if (!hasDrained) this.shapes.delete(HANDLE);
    this.forget();
  }

  /** @returns undefined when the shape is gone. */
  takeSnapshot(): PgSnapshot | undefined {
    const { log, definition, shapeLog, is } = this;
    if (shapeLog === undefined) return undefined;
    const pgSnapshot = snapshotOf(log.transactions, is.shown, this.insertLsn);
    const lines = new ChangeConverter(definition, undefined, (id) => log.layoutOf(id));
    const rows = rowsAfter(log.transactions.filter((_, index) => is.shown.includes(index)));
    const written = rows.map((row) => lines.snapshotLine(tupleOf(row)).slice());
    shapeLog.takeSnapshot(pgSnapshot, written, log.firstUnseen(is.committed, pgSnapshot));
    this.is = { ...is, pgSnapshot, snapshotRows: rows.length, shown: this.everything };
    return pgSnapshot;
  }

  /** What the log's reader brings behind `after`, up to `through`; undefined when the shape is gone. */
  readHistory(owner: string, after: EntryPlace, through: LogOffset): EntryPlace | undefined {
    const { shapeLog } = this;
    this.is = { ...this.is, historyRead: '' };
    if (shapeLog === undefined) return undefined;
    invariant(compareOffsets(after.offset, shapeLog.end) <= 0, 'a follower reads only what it was told can be read');
    const reader = new LineReader(COLUMN);
    const read = shapeLog.read(after.offset);
    const entries = read.entries.filter(({ offset }) => compareOffsets(offset, through) <= 0);
    const end = placeAt(compareOffsets(read.end, through) < 0 ? read.end : through);
    const rows = entries.map(({ offset, bytes }) => ({ offset, ...reader.read(bytes) }));
    this.history.put(owner, { after, through: end }, rows);
    this.is = { ...this.is, historyRead: JSON.stringify([after, end]) };
    return end;
  }

  beginMaterializer(self: Pid): void {
    this.history.open(self);
    this.is = { ...this.is, follower: self };
  }

  endMaterializer(self: Pid): void {
    this.history.close(self);
    this.is = { ...this.is, applied: [], follower: '', historyRead: '' };
    this.forget();
  }

  /** What makes no difference any more: of a shape that is gone nobody takes a snapshot, and nobody who lives has one to compare with. */
  private forget(): void {
    const { is } = this;
    if (!is.isGone) return;
    this.is = { ...is, shown: this.everything };
    if (is.follower === '') this.is = { ...this.is, pgSnapshot: undefined, snapshotRows: 0 };
  }

  private get everything(): readonly number[] {
    return Array.from({ length: this.is.committed }, (_, index) => index);
  }

  takeHistory(...asked: Parameters<ShapeBlocks['take']>): ReturnType<ShapeBlocks['take']> {
    const rows = this.history.take(...asked);
    const applied = rows.map(({ offset }) => (isInSnapshot(offset) ? 'snapshot' : offset));
    this.is = { ...this.is, applied: [...this.is.applied, ...applied], historyRead: '' };
    return rows;
  }

  takeLoaded(owner: string, { after, through }: LogRange): LogBlock {
    const block = this.loaded.get(owner);
    invariant(block?.after === after && block.through === through, `a block behind ${after} is taken once it was loaded`);
    this.loaded.delete(owner);
    return block;
  }

  /**
   * Up to where Postgres has logged, at the least: behind all that a snapshot sees. What lies further on, and is not seen either, is
   * left in by each snapshot, whether it was logged before that one or behind it.
   */
  protected get insertLsn(): Lsn {
    return this.log.transactions[this.is.shown.at(-1) ?? -1]?.lsn ?? LSN_ZERO;
  }
}

/**
 * A transaction is running for all others until it is shown: those that have yet to commit have begun.
 *
 * @param shown by their numbers.
 */
export function snapshotOf(transactions: readonly ScriptedTransaction[], shown: readonly number[], insertLsn: Lsn): PgSnapshot {
  const seen = shown.flatMap((index) => transactions[index]?.xid ?? []);
  const xids = transactions.map(({ xid }) => xid).sort((one, other) => one - other);
  const xmax = Math.max(FIRST_XID, ...seen.map((xid) => xid + 1));
  const xip = xids.filter((xid) => xid < xmax && !seen.includes(xid)).map(String);
  return { xmin: xip[0] ?? String(xmax), xmax: String(xmax), xip, insertLsn };
}

export function rowsAfter(transactions: readonly { readonly changes: readonly RowChange[] }[]): readonly Row[] {
  const rows = new Map<string, Row>();
  for (const change of transactions.flatMap(({ changes }) => changes)) {
    if ('new' in change) rows.set(keyOf(change), change.new);
    else rows.delete(keyOf(change));
  }
  return [...rows.values()];
}

export function keyOf(change: RowChange): string {
  return String('new' in change ? change.new[0] : 'old' in change ? change.old[0] : undefined);
}
