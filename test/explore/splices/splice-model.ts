/**
 * SpliceModel: the world of two shapes as a value. Two tables and their transactions, the transaction log with its records of
 * splices, the logs of an inner shape and of one that depends on it, and what is in memory between their processes.
 *
 * Transactions commit in the order of the script, which is the order of the log. Each *arrives* in the durable log, in that order,
 * and is *shown* to snapshots, in any order, perhaps long before or after. Some other transaction may be on its way in between, so
 * neither waits for the other; only whoever writes a row waits until the last who wrote it is shown.
 */
import { memberKey, MemberIndex, type MemberListing } from '../../../src/shapes/member-index.ts';
import type { LinkValues } from '../../../src/actors/link-values.ts';
import { invariant } from '../../../src/base/invariant.ts';
import { placeAt, type EntryPlace } from '../../../src/model/log-entry.ts';
import { compareOffsets, isInSnapshot, type LogOffset } from '../../../src/model/log-offset.ts';
import type { LogPosition, LogRange } from '../../../src/model/log-position.ts';
import { LSN_ZERO, type Lsn } from '../../../src/model/lsn.ts';
import type { PgSnapshot } from '../../../src/model/pg-snapshot.ts';
import type { Handle } from '../../../src/model/shape.ts';
import type { LogBlock } from '../../../src/model/transaction.ts';
import type { Pid } from '../../../src/otp/process.ts';
import type { RoutedChanges } from '../../../src/shapes/router.ts';
import { LineReader } from '../../../src/shapes/line-reader.ts';
import { ShapeBlocks } from '../../../src/storage/shapes/shape-blocks.ts';
import type { Row, RowChange } from '../../support/actors/changes.ts';
import type { ModelShapeLog } from '../../support/storage/model-shape-logs.ts';
import type { World } from '../checker/system.ts';
import { WorldFork } from '../checker/world-fork.ts';
import { keyOf, rowsAfter, snapshotOf } from '../hand-over/hand-over-model.ts';
import type { OpenDeliveries } from '../hand-over/model-deliveries.ts';
import type { ScriptedChange, ScriptedLog, ScriptedTransaction } from '../hand-over/scripted-log.ts';
import { PARENTS } from './splice-scripts.ts';
import { COLUMN, copyOf, INNER, OUTER, type SpliceSetting } from './splice-setting.ts';

interface Remembered {
  /** How many transactions are in the durable log. */
  readonly arrived: number;
  /** Which of all snapshots see. */
  readonly shown: readonly number[];
  /** How many records of splices would survive a power cut. */
  readonly synced: number;
  /** The rows that queries have brought, by the number of the splice. */
  readonly moved: Readonly<Record<number, string>>;
  /** Of the transactions, what the collector has said that all shapes have. */
  readonly processedLsn: Lsn;
  readonly running: readonly Handle[];
  readonly drained: readonly Handle[];
  /** The one that its supervisor knows of, and how many there have been. */
  readonly materializer: Pid | undefined;
  readonly materializers: number;
  /** What the outer shape's readers had been given before the service crashed. */
  readonly read: readonly string[];
  /** The operations that the present Materializer's table was given, as offsets; a row of the snapshot is `snapshot`. */
  readonly applied: readonly string[];
  /** What lies in `history`, and is not yet taken. */
  readonly historyRead: string;
}

const NOTHING: Remembered = {
  arrived: 0, shown: [], synced: 0, moved: {}, processedLsn: LSN_ZERO, running: [], drained: [], materializer: undefined, materializers: 0,
  read: [], applied: [], historyRead: '',
};

export class SpliceModel implements World<SpliceModel> {
  constructor(
    readonly setting: SpliceSetting,
    public is: Remembered = NOTHING,
    public shapes = copyOf(setting.stored),
    readonly history = new ShapeBlocks(),
    readonly deliveries: OpenDeliveries = new Map(),
    /** Blocks that were loaded, and rows of splices that were read, for each process, and not yet taken. */
    readonly loaded = new Map<string, LogBlock>(),
    readonly movedRows = new Map<string, string>(),
    /** The tables of the Materializers that live. */
    readonly values = new Map<Pid, LinkValues>(),
    private listed: readonly string[] | undefined = undefined,
    readonly members = new MemberIndex(),
  ) {}

  /** The tables go over to the copy. */
  clone(): SpliceModel {
    const fork: WorldFork<SpliceModel> = new WorldFork(() => copy);
    const { setting, is, shapes, history, deliveries, loaded, movedRows, listed } = this;
    const copy: SpliceModel = new SpliceModel(
      setting, is, shapes.clone(fork), history.clone(fork), new Map(deliveries), new Map(loaded), new Map(movedRows), new Map(), listed,
    );
    if (listed !== undefined) copy.members.listing(MEMBERS).begin(listed);
    for (const [pid, values] of this.values) copy.values.set(pid, values.clone(fork));
    return copy;
  }

  key(): string {
    const open = Array.from(this.deliveries.values(), ({ id, layers }) => [id, layers.map((layer) => [...layer].map(routed))]);
    const loaded = Array.from(this.loaded, ([owner, { after, through }]) => [owner, after, through]).sort();
    const values = Array.from(this.values, ([pid, table]) => [pid, table.key()]).sort();
    return JSON.stringify([this.is, this.shapes.key(), open.sort(), loaded, [...this.movedRows].sort(), values, this.listed ?? null]);
  }

  get log(): ScriptedLog {
    return this.setting.log;
  }

  shape(handle: Handle): ModelShapeLog | undefined {
    return this.shapes.get(handle);
  }

  get durable(): { readonly through: LogPosition; readonly lsn: Lsn } {
    return this.log.endOf(this.is.arrived);
  }

  // --- the writer

  get begun(): number {
    return Math.max(this.is.arrived, ...this.is.shown.map((index) => index + 1));
  }

  /** Whether all that has committed is in the log, and seen. */
  get isSettled(): boolean {
    return this.is.arrived === this.begun && this.is.shown.length === this.begun;
  }

  /** As a transaction that begins when no other runs would see it. */
  rows(table: number): readonly Row[] {
    return this.rowsOf(table, this.log.transactions.slice(0, this.begun));
  }

  mayArrive(): boolean {
    return this.is.arrived < this.log.transactions.length && this.hasLocks(this.is.arrived);
  }

  get mayShow(): readonly number[] {
    return [...this.log.transactions.keys()].filter((index) => !this.is.shown.includes(index) && this.hasLocks(index));
  }

  arrive(): void {
    // A sync takes everything along that was appended before.
    this.is = { ...this.is, arrived: this.is.arrived + 1, synced: this.shape(OUTER)?.splices.length ?? this.is.synced };
  }

  show(index: number): void {
    this.is = { ...this.is, shown: [...this.is.shown, index].sort((one, other) => one - other) };
  }

  // --- the database, asked

  pgSnapshot(): PgSnapshot {
    const { transactions } = this.log;
    return snapshotOf(transactions, this.is.shown, transactions[this.begun - 1]?.lsn ?? LSN_ZERO);
  }

  visibleRows(table: number): readonly Row[] {
    return this.rowsOf(table, this.log.transactions.filter((_, index) => this.is.shown.includes(index)));
  }

  // --- what processes leave behind

  noteProcessed(lsn: Lsn): void {
    this.is = { ...this.is, processedLsn: lsn };
  }

  noteSynced(): void {
    this.is = { ...this.is, synced: this.shape(OUTER)?.splices.length ?? this.is.synced };
  }

  putMoved(number: number, rows: string): void {
    this.is = { ...this.is, moved: { ...this.is.moved, [number]: rows } };
  }

  /** Its Consumer begins, or has been started and will. */
  noteBegin(handle: Handle): void {
    const { running, drained } = this.is;
    const isOther = (each: Handle): boolean => each !== handle;
    this.is = { ...this.is, running: [...running.filter(isOther), handle], drained: drained.filter(isOther) };
  }

  /** A shape whose Consumer did not drain is gone, and with it whoever depends on it and is not there to be told. */
  noteEnd(handle: Handle, hasDrained: boolean): void {
    const running = this.is.running.filter((each) => each !== handle);
    this.is = { ...this.is, running, drained: hasDrained ? [...this.is.drained, handle] : this.is.drained };
    if (!hasDrained) this.shapes.delete(handle);
    if (this.shape(INNER) === undefined && !running.includes(OUTER)) this.shapes.delete(OUTER);
  }

  /** A supervisor has started one, or was told that it has ended. */
  noteMaterializer(pid: Pid | undefined): void {
    const materializers = this.is.materializers + (pid === undefined ? 0 : 1);
    this.is = { ...this.is, materializer: pid, materializers };
  }

  /** A power cut: the shapes' files are those of the last checkpoint, and the log's records are met again. */
  crash(): void {
    const { is, setting } = this;
    const read = longer(is.read, this.shape(OUTER)?.state.lines?.map(({ offset, text }) => `${offset} ${text}`) ?? []);
    const splices = this.shape(OUTER)?.splices.slice(0, is.synced) ?? [];
    this.shapes = copyOf(setting.stored);
    for (const { number: _, ...splice } of splices) this.shape(OUTER)?.recordSplice(splice);
    this.deliveries.clear();
    this.loaded.clear();
    this.movedRows.clear();
    this.values.clear();
    this.unlist();
    this.is = { ...is, processedLsn: LSN_ZERO, running: [], drained: [], materializer: undefined, applied: [], historyRead: '', read };
  }

  // --- what is read

  takeLoaded(owner: string, { after, through }: LogRange): LogBlock {
    const block = this.loaded.get(owner);
    invariant(block?.after === after && block.through === through, `a block behind ${after} is taken once it was loaded`);
    this.loaded.delete(owner);
    return block;
  }

  takeMoved(owner: string): Uint8Array {
    const rows = this.movedRows.get(owner);
    invariant(rows !== undefined, `rows are taken right after they were read for ${owner}`);
    this.movedRows.delete(owner);
    return Buffer.from(rows);
  }

  /** What the inner log's reader brings behind `after`, up to `through`; undefined when the shape is gone. */
  readHistory(owner: string, after: EntryPlace, through: LogOffset): EntryPlace | undefined {
    this.is = { ...this.is, historyRead: '' };
    const read = this.shape(INNER)?.read(after.offset);
    if (read === undefined) return undefined;
    const reader = new LineReader(COLUMN);
    const entries = read.entries.filter(({ offset }) => compareOffsets(offset, through) <= 0);
    const end = placeAt(compareOffsets(read.end, through) < 0 ? read.end : through);
    this.history.put(owner, { after, through: end }, entries.map(({ offset, bytes }) => ({ offset, ...reader.read(bytes) })));
    this.is = { ...this.is, historyRead: JSON.stringify([after, end]) };
    return end;
  }

  takeHistory(...asked: Parameters<ShapeBlocks['take']>): ReturnType<ShapeBlocks['take']> {
    const rows = this.history.take(...asked);
    const applied = rows.map(({ offset }) => (isInSnapshot(offset) ? 'snapshot' : offset));
    this.is = { ...this.is, applied: [...this.is.applied, ...applied], historyRead: '' };
    return rows;
  }

  beginMaterializer(self: Pid): void {
    this.history.open(self);
    this.is = { ...this.is, applied: [] };
  }

  endMaterializer(self: Pid): void {
    this.history.close(self);
    this.is = { ...this.is, historyRead: '' };
  }

  /** Also what it lists is a part of the world. */
  listing(): MemberListing {
    const index = this.members.listing(MEMBERS);
    return {
      ...index,
      begin: (values) => {
        this.listed = [...values].sort();
        index.begin(this.listed);
      },
      add: (value) => {
        this.listed = [...(this.listed ?? []), value].sort();
        index.add(value);
      },
      remove: (value) => {
        this.listed = this.listed?.filter((each) => each !== value);
        index.remove(value);
      },
      end: (values) => {
        this.listed = undefined;
        index.end(values);
      },
    };
  }

  private unlist(): void {
    if (this.listed !== undefined) this.members.listing(MEMBERS).end(this.listed);
    this.listed = undefined;
  }

  private rowsOf(table: number, transactions: readonly ScriptedTransaction[]): readonly Row[] {
    const { parents, children } = this.setting.script;
    const stored = table === PARENTS ? parents : children;
    const begin: readonly RowChange[] = stored.map((row) => ({ kind: 'insert', new: row }));
    const ofTable = transactions.map(({ changes }) => ({ changes: changes.filter((change) => (change.table ?? PARENTS) === table) }));
    return rowsAfter([{ changes: begin }, ...ofTable]);
  }

  /** Whether it, and each that committed before it, could write its rows by now. */
  private hasLocks(index: number): boolean {
    return this.log.transactions.slice(0, index + 1).every((_, each) => each < this.begun || this.isUnlocked(each));
  }

  private isUnlocked(index: number): boolean {
    const { transactions } = this.log;
    const written = new Set(transactions[index]?.changes.map(lockOf));
    const hidden = transactions.slice(0, index).filter((_, each) => !this.is.shown.includes(each));
    return hidden.every(({ changes }) => changes.every((change) => !written.has(lockOf(change))));
  }
}

const MEMBERS = memberKey(INNER, COLUMN);

function lockOf(change: ScriptedChange): string {
  return `${change.table ?? PARENTS} ${keyOf(change)}`;
}

/** The shape of a delivery's layer as a part of a key. */
function routed([handle, { changes }]: readonly [Handle, RoutedChanges]): string {
  return `${handle} ${changes.join()}`;
}

function longer(left: readonly string[], right: readonly string[]): readonly string[] {
  return left.length > right.length ? left : right;
}
