/**
 * SpliceModel: the world of shapes that depend on each other, as a value. Their tables and the transactions on these, the transaction
 * log with its records of splices, the shapes' logs, and what is in memory between their processes.
 *
 * Transactions commit in the order of the script, which is the order of the log. Each *arrives* in the durable log, in that order,
 * and is *shown* to snapshots, in any order, perhaps long before or after. Some other transaction may be on its way in between, so
 * neither waits for the other; only whoever writes a row waits until the last who wrote it is shown.
 */
import { memberKey, MemberIndex, type MemberListing } from '../../../src/shapes/member-index.ts';
import type { LinkValues } from '../../../src/actors/link-values.ts';
import { invariant } from '../../../src/base/invariant.ts';
import { placeAt, type EntryPlace, type EntryRange } from '../../../src/model/log-entry.ts';
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
import { copyOf, type SpliceSetting } from './splice-setting.ts';
import { keepersOf, type KeeperPlan } from './splice-shapes.ts';

interface Remembered {
  /** How many transactions are in the durable log. */
  readonly arrived: number;
  /** How many there were when it was opened: readers may have seen what comes of these. */
  readonly opened: number;
  /** Which of all snapshots see. */
  readonly shown: readonly number[];
  /** How many records of splices would survive a power cut, of each shape that has any. */
  readonly synced: Readonly<Record<Handle, number>>;
  /** The rows that queries have brought, by shape and number of the splice. */
  readonly moved: Readonly<Record<string, string>>;
  /** Of the transactions, what the collector has said that all shapes have. */
  readonly processedLsn: Lsn;
  readonly running: readonly Handle[];
  readonly drained: readonly Handle[];
  /** Of each role that keeps values: the one that its supervisor knows of, and how many there have been. */
  readonly keepers: Readonly<Record<string, { readonly pid: Pid | undefined; readonly count: number }>>;
  /** What the readers of each shape that depends on another had been given before the service crashed. */
  readonly read: Readonly<Record<Handle, readonly string[]>>;
  /** The operations that the table of the present one of each role was given, as offsets; a row of the snapshot is `snapshot`. */
  readonly applied: Readonly<Record<string, readonly string[]>>;
  /** What lies in `history` for it, and is not yet taken. */
  readonly historyRead: Readonly<Record<string, string>>;
}

const NOTHING: Remembered = {
  arrived: 0, opened: 0, shown: [], synced: {}, moved: {}, processedLsn: LSN_ZERO, running: [], drained: [], keepers: {}, read: {},
  applied: {}, historyRead: {},
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
    /** What each column lists. */
    private readonly listed = new Map<string, readonly string[]>(),
    readonly members = new MemberIndex(),
  ) {}

  /** The tables go over to the copy. */
  clone(): SpliceModel {
    const fork: WorldFork<SpliceModel> = new WorldFork(() => copy);
    const { setting, is, shapes, history, deliveries, loaded, movedRows, listed } = this;
    const copy: SpliceModel = new SpliceModel(
      setting, is, shapes.clone(fork), history.clone(fork), new Map(deliveries), new Map(loaded), new Map(movedRows), new Map(),
      new Map(listed),
    );
    for (const [key, values] of listed) copy.members.listing(key).begin(values);
    for (const [pid, values] of this.values) copy.values.set(pid, values.clone(fork));
    return copy;
  }

  key(): string {
    const open = Array.from(this.deliveries.values(), ({ id, layers }) => [id, layers.map((layer) => [...layer].map(routed))]);
    const loaded = Array.from(this.loaded, ([owner, { after, through }]) => [owner, after, through]).sort();
    const values = Array.from(this.values, ([pid, table]) => [pid, table.key()]).sort();
    const listed = [...this.listed].sort();
    const { synced, moved, keepers, read, applied, historyRead, ...others } = this.is;
    const records = [synced, moved, keepers, read, applied, historyRead].map((record) => Object.entries<unknown>(record).sort(byName));
    return JSON.stringify([others, records, this.shapes.key(), open.sort(), loaded, [...this.movedRows].sort(), values, listed]);
  }

  get log(): ScriptedLog {
    return this.setting.log;
  }

  shape(handle: Handle): ModelShapeLog | undefined {
    return this.shapes.get(handle);
  }

  /** The end of the log when it was opened. */
  get shownThrough(): LogPosition {
    return this.log.endOf(this.is.opened).through;
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
    this.is = { ...this.is, arrived: this.is.arrived + 1 };
    this.noteSynced();
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

  /** Everything that was appended before. */
  noteSynced(): void {
    const synced = this.setting.shapes.flatMap(({ handle }) => {
      const count = this.shape(handle)?.splices.length ?? 0;
      return count === 0 ? [] : [[handle, count] as const];
    });
    this.is = { ...this.is, synced: { ...this.is.synced, ...Object.fromEntries(synced) } };
  }

  movedOf(handle: Handle, number: number): string | undefined {
    return this.is.moved[`${handle} ${number}`];
  }

  putMoved(handle: Handle, number: number, rows: string): void {
    this.is = { ...this.is, moved: { ...this.is.moved, [`${handle} ${number}`]: rows } };
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
    for (const { handle: each, dependsOn } of this.setting.shapes) {
      if (dependsOn.some((inner) => this.shape(inner) === undefined) && !running.includes(each)) this.shapes.delete(each);
    }
  }

  /** The one of a role that its supervisor knows of. */
  keeper(role: string): Pid | undefined {
    return this.is.keepers[role]?.pid;
  }

  /** @returns the pid of the one that a supervisor has started. */
  startKeeper(role: string): Pid {
    const count = (this.is.keepers[role]?.count ?? 0) + 1;
    const pid = `${role}#${count}` as Pid;
    this.is = { ...this.is, keepers: { ...this.is.keepers, [role]: { pid, count } } };
    return pid;
  }

  /** Its supervisor was told that it has ended. */
  endKeeper(role: string): void {
    this.is = { ...this.is, keepers: { ...this.is.keepers, [role]: { pid: undefined, count: this.is.keepers[role]?.count ?? 0 } } };
  }

  /** A power cut: the shapes' files are those of the last checkpoint, and the log's records are met again. */
  crash(): void {
    const { is, setting } = this;
    const dependent = setting.shapes.filter(({ keeper }) => keeper !== undefined);
    const read = Object.fromEntries(dependent.map(({ handle }) => [handle, longer(is.read[handle] ?? [], this.entriesOf(handle))]));
    const splices = setting.shapes.map(({ handle }) => this.shape(handle)?.splices.slice(0, is.synced[handle] ?? 0) ?? []);
    this.shapes = copyOf(setting.stored);
    for (const [index, { handle }] of setting.shapes.entries()) {
      for (const { number: _, ...splice } of splices[index] ?? []) this.shape(handle)?.recordSplice(splice);
    }
    this.deliveries.clear();
    this.loaded.clear();
    this.movedRows.clear();
    this.values.clear();
    for (const [key, values] of this.listed) this.members.listing(key).end(values);
    this.listed.clear();
    const keepers = Object.fromEntries(Object.entries(is.keepers).map(([role, { count }]) => [role, { pid: undefined, count }]));
    const forgotten = { processedLsn: LSN_ZERO, running: [], drained: [], applied: {}, historyRead: {} };
    this.is = { ...is, ...forgotten, opened: is.arrived, keepers, read };
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

  /** What can be read, each line with its offset. */
  entriesOf(handle: Handle): readonly string[] {
    return this.shape(handle)?.state.lines?.map(({ offset, text }) => `${offset} ${text}`) ?? [];
  }

  /** What the reader of a followed log brings behind `after`, up to `through`; undefined when the shape is gone. */
  readHistory(owner: Pid, after: EntryPlace, through: LogOffset): EntryPlace | undefined {
    const { follows, column } = this.planOf(owner);
    this.noteHistory(owner, undefined);
    const read = this.shape(follows)?.read(after.offset);
    if (read === undefined) return undefined;
    const reader = new LineReader(column);
    const entries = read.entries.filter(({ offset }) => compareOffsets(offset, through) <= 0);
    const end = placeAt(compareOffsets(read.end, through) < 0 ? read.end : through);
    this.history.put(owner, { after, through: end }, entries.map(({ offset, bytes }) => ({ offset, ...reader.read(bytes) })));
    this.noteHistory(owner, JSON.stringify([after, end]));
    return end;
  }

  takeHistory(owner: Pid, block: EntryRange): ReturnType<ShapeBlocks['take']> {
    const rows = this.history.take(owner, block);
    const { role } = this.planOf(owner);
    const applied = rows.map(({ offset }) => (isInSnapshot(offset) ? 'snapshot' : offset));
    this.is = { ...this.is, applied: { ...this.is.applied, [role]: [...(this.is.applied[role] ?? []), ...applied] } };
    this.noteHistory(owner, undefined);
    return rows;
  }

  beginMaterializer(self: Pid): void {
    this.history.open(self);
    this.is = { ...this.is, applied: without(this.is.applied, this.planOf(self).role) };
  }

  endMaterializer(self: Pid): void {
    this.history.close(self);
    this.noteHistory(self, undefined);
  }

  /** Of one that keeps values. @param pid as a runtime or the search calls it. */
  planOf(pid: Pid): KeeperPlan {
    const plan = keepersOf(this.setting.shapes).find(({ role }) => role === pid.slice(pid.lastIndexOf('/') + 1, pid.lastIndexOf('#')));
    invariant(plan !== undefined, 'who keeps values follows a shape');
    return plan;
  }

  /** Also what a column lists is a part of the world. */
  listing({ follows, column }: KeeperPlan): MemberListing {
    const { listed } = this;
    const key = memberKey(follows, column);
    const index = this.members.listing(key);
    const note = (values: readonly string[] | undefined): void => {
      if (values !== undefined) listed.set(key, [...values].sort());
    };
    return {
      ...index,
      begin(values) {
        note([...values]);
        index.begin(listed.get(key) ?? []);
      },
      add(value) {
        note([...(listed.get(key) ?? []), value]);
        index.add(value);
      },
      remove(value) {
        note(listed.get(key)?.filter((each) => each !== value));
        index.remove(value);
      },
      end(values) {
        listed.delete(key);
        index.end(values);
      },
    };
  }

  private noteHistory(owner: Pid, read: string | undefined): void {
    const { role } = this.planOf(owner);
    const others = without(this.is.historyRead, role);
    this.is = { ...this.is, historyRead: read === undefined ? others : { ...others, [role]: read } };
  }

  private rowsOf(table: number, transactions: readonly ScriptedTransaction[]): readonly Row[] {
    const begin: readonly RowChange[] = (this.setting.script.rows[table] ?? []).map((row) => ({ kind: 'insert', new: row }));
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

function lockOf(change: ScriptedChange): string {
  return `${change.table ?? PARENTS} ${keyOf(change)}`;
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}

function without<Value>(record: Readonly<Record<string, Value>>, name: string): Readonly<Record<string, Value>> {
  const { [name]: _, ...others } = record;
  return others;
}

/** The shape of a delivery's layer as a part of a key. */
function routed([handle, { changes }]: readonly [Handle, RoutedChanges]): string {
  return `${handle} ${changes.join()}`;
}

function longer(left: readonly string[], right: readonly string[]): readonly string[] {
  return left.length > right.length ? left : right;
}
