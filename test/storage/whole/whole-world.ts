/**
 * A service reduced to its storage, with all that a storage has to keep: shapes of every kind, splices, large transactions, checkpoints,
 * compaction, deletions. Beside it the account of what was promised, with which each life is compared: the log, the shapes, their lines
 * byte by byte, the rows of clients that stand anywhere or have answers of a cache, and the files that are left.
 */
import { systemClock } from '../../../src/base/clock.ts';
import { seededRandom, type Random } from '../../../src/base/random.ts';
import { compareOffsets } from '../../../src/model/log-offset.ts';
import type { Handle } from '../../../src/model/shape.ts';
import { LinesReplacedError, LogCorruptError, ShapeCorruptError, ShapeGoneError } from '../../../src/storage/errors.ts';
import { openStorage } from '../../../src/storage/open-storage.ts';
import type { ShapeLog, SnapshotWriter } from '../../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { RowLineFolder } from '../../../src/shapes/row-line-folder.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { bytes, lsn, transactionsOf, upTo, xid } from '../../support/storage/stored-samples.ts';
import { MemoryDisk } from '../memory-disk.ts';
import { WholeAccount } from './account.ts';
import { Follower } from './follower.ts';
import { filesLeftOver } from './left-over.ts';
import { Readers } from './readers.ts';
import { lsnAt, rowsOf, snapshotLines, transactionOf, type Kind, type Wish } from './table.ts';

export type Act =
  | { readonly do: 'transaction'; readonly of: Wish }
  | { readonly do: 'create' | 'begin snapshot' | 'delete' | 'replace'; readonly kind: Kind }
  | { readonly do: 'go on with snapshots' | 'complete snapshots' | 'open transaction' | 'request' }
  | { readonly do: 'sync' | 'apply' | 'checkpoint' | 'compact' | 'read' | 'settle' };

export type WholeStep =
  | Act
  | { readonly do: 'end of a process'; readonly isInGoodOrder: boolean }
  /** What comes after some turns, while the first is under way. */
  | { readonly do: 'meanwhile'; readonly first: Act; readonly turns: number; readonly then: readonly Act[] };

export type Violation = string;

interface Growing {
  readonly shape: ShapeLog;
  readonly writer: SnapshotWriter;
  readonly left: string[];
}

const DIRECTORY = '/data';
const CHUNK_BYTES = 600;
/** Some snapshots have more. */
const FEW_BYTES = 400;
/** So many are enough for the witness to be written behind a sync. */
const WITNESS_TURNS = 20;
/** More than there are shapes. */
const CONDEMNED_MAX = 20;
/** What an operator is told instead of a start. */
const REFUSALS = ['StorageVersionError', 'UnknownContentError', 'StorageDirectoryError'];

export class WholeWorld {
  private readonly found: Violation[] = [];
  private boots = 0;
  private isCompacting = false;
  private storage: Storage | undefined;
  private growing: Growing[] = [];
  private applying: Promise<void> = Promise.resolve();
  private following: Handle | undefined;
  private readonly readers: Readers;

  private constructor(
    readonly disk: MemoryDisk,
    private readonly account: WholeAccount,
    private readonly random: Random,
    /** Nothing counts as promised before the witness beside the log tells of it: only then damage cannot go unseen. */
    private readonly isPatient: boolean,
  ) {
    this.readers = new Readers(account, random, (violation) => this.violate(violation));
  }

  static fresh(seed: number, isPatient = false): WholeWorld {
    return new WholeWorld(new MemoryDisk(), new WholeAccount(), seededRandom(seed), isPatient);
  }

  /** The same moment in another world, which nobody has opened; what it meets is as `seed` says. */
  copy(seed: number): WholeWorld {
    const copy = new WholeWorld(this.disk.image(), this.account.copy(), seededRandom(seed), this.isPatient);
    copy.boots = this.boots;
    if (this.storage !== undefined) copy.account.toldHeld = Math.max(copy.account.toldHeld, Number(this.storage.log.heldLsn));
    return copy;
  }

  async run(steps: readonly WholeStep[]): Promise<readonly Violation[]> {
    await this.start(true);
    for (const step of steps) await this.take(step);
    return this.found;
  }

  /**
   * The process is killed, or the power goes and comes back: all is there that was promised, and life goes on upon it.
   *
   * @param meanwhile given the moments before each change of the disk, until the first checkpoint behind the recovery.
   */
  async end(by: 'power' | 'kill', meanwhile: (moment: WholeWorld) => void = () => {}): Promise<readonly Violation[]> {
    if (by === 'power') this.disk.crash(this.random);
    else this.disk.kill();
    this.disk.beforeChange = () => meanwhile(this);
    await this.start(this.random.below(2) === 0);
    await this.compareAll();
    await this.checkpoint();
    await settle();
    this.disk.beforeChange = () => {};
    if (!this.isCompacting) this.compareFiles();
    await this.goOn();
    return this.found;
  }

  /**
   * The process is killed, and what it left is damaged: each shape is served as before, or is condemned with a word and made anew, or the
   * directory is refused in a sentence. Then life goes on.
   */
  async survive(befall: (disk: MemoryDisk) => void): Promise<readonly Violation[]> {
    this.disk.kill();
    befall(this.disk);
    this.account.mayGoBack = true;
    try {
      await this.open(true);
    } catch (error) {
      if (!REFUSALS.includes((error as Error).name)) throw error;
      return this.found;
    }
    this.compareDamaged();
    await this.condemning(async () => {
      await this.apply();
      await this.compareShapes();
      await this.actOnAll('compact');
      await this.compareShapes();
    });
    await this.goOn();
    return this.found;
  }

  private get now(): Storage {
    if (this.storage === undefined) throw new Error('the world has not started');
    return this.storage;
  }

  private async take(step: WholeStep): Promise<void> {
    if (step.do === 'end of a process') return this.endLife(step.isInGoodOrder);
    if (step.do !== 'meanwhile') return this.act(step);
    const underWay = this.act(step.first);
    for (let turn = 0; turn < step.turns; turn += 1) await Promise.resolve();
    for (const act of step.then) await this.act(act);
    await underWay;
  }

  private async act(act: Act): Promise<void> {
    if (act.do === 'transaction') this.send(act.of);
    else if (act.do === 'open transaction') this.now.log.appendChanges(xid(this.account.sent.length + 1), bytes('[]'));
    else if (act.do === 'create') await this.create(act.kind);
    else if (act.do === 'begin snapshot') this.beginSnapshot(act.kind);
    else if (act.do === 'go on with snapshots') for (const one of this.growing) await this.unlessDeleted(one, goOnWith(one, 1));
    else if (act.do === 'complete snapshots') await this.completeAll();
    else if (act.do === 'delete') this.delete(act.kind);
    else if (act.do === 'replace') await this.replace(act.kind);
    else await this.actOnAll(act.do);
  }

  private async actOnAll(act: 'sync' | 'apply' | 'checkpoint' | 'compact' | 'read' | 'settle' | 'request'): Promise<void> {
    if (act === 'sync') await this.sync();
    else if (act === 'apply') await this.apply();
    else if (act === 'read') await this.readAll();
    else if (act === 'settle') await settle();
    else if (act === 'request') await this.request();
    else await this.checkpoint();
    if (act !== 'compact') return;
    await settle();
    await this.checkpoint();
  }

  private send(wish: Wish): void {
    const { account } = this;
    account.sent = [...account.sent, transactionOf(account.sent.length + 1, wish, account.table)];
    this.append(account.sent.length);
  }

  private append(commit: number): void {
    const { log } = this.now;
    log.abandon(); // What was open is sent anew.
    for (const fragment of this.account.sent[commit - 1]?.fragments ?? []) log.appendChanges(xid(commit), bytes(fragment));
    log.appendCommit(xid(commit), lsn(lsnAt(commit)));
    log.appendHeld(lsn(lsnAt(commit) + 1));
    this.account.appended = commit;
  }

  private async sync(): Promise<void> {
    const { account } = this;
    const { appended, leaving } = account;
    await this.now.log.sync();
    await this.untilPromised();
    account.durable = Math.max(account.durable, appended);
    account.deleted = new Set([...account.deleted, ...leaving]);
  }

  private async create(kind: Kind): Promise<void> {
    const growing = this.beginSnapshot(kind);
    this.growing = this.growing.filter((one) => one !== growing);
    await this.complete(growing);
  }

  private beginSnapshot(kind: Kind): Growing {
    const { account } = this;
    account.handles += 1;
    const handle = handleOf(account.handles);
    const born = account.applied;
    account.shapes = new Map([...account.shapes, [handle, { kind, born, isPromised: false, isDeleted: false }]]);
    const growing = this.began(kind, handle, born);
    this.growing = [...this.growing, growing];
    return growing;
  }

  private began(kind: Kind, handle: Handle, born: number): Growing {
    const { shapes } = this.now;
    const inner = kind === 'outer' ? this.shapeOf('inner') : undefined;
    const shape = shapes.create(handle, shapeOf({}), inner === undefined ? [] : [inner.handle], kind === 'inner');
    if (inner !== undefined) shape.beginViews([inner.end]);
    const insertLsn = lsn(lsnAt(born));
    const writer = shape.beginSnapshot({ xmin: String(born + 1), xmax: String(born + 1), xip: [], insertLsn });
    return { shape, writer, left: snapshotLines(rowsOf(kind, this.account.tableAt(born))) };
  }

  private async completeAll(): Promise<void> {
    const { growing } = this;
    this.growing = [];
    for (const one of growing) await this.unlessDeleted(one, this.complete(one));
  }

  /** Who writes the first rows of a shape that is deleted meanwhile hears of that. */
  private async unlessDeleted({ shape: { handle } }: Growing, work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof ShapeGoneError && this.account.shapes.get(handle)?.isDeleted === true)) throw error;
    }
  }

  private async complete(growing: Growing): Promise<void> {
    await goOnWith(growing, growing.left.length);
    await growing.writer.complete();
    await this.untilPromised();
    this.account.with(growing.shape.handle, { isPromised: true });
  }

  /** The oldest of its kind, and the shapes that depend on it before it. */
  private delete(kind: Kind): void {
    const { account, now: { shapes } } = this;
    const shape = this.shapeOf(kind);
    if (shape === undefined) return;
    const dependants = [...shapes.all()].filter(({ dependsOn }) => dependsOn.includes(shape.handle));
    const condemned = [...dependants, shape].map(({ handle }) => handle);
    this.growing = this.growing.filter((one) => !condemned.includes(one.shape.handle));
    for (const handle of condemned) {
      account.with(handle, { isDeleted: true });
      shapes.delete(handle, 'a test');
    }
    account.leaving = [...account.leaving, ...condemned];
  }

  private async replace(kind: Kind): Promise<void> {
    this.delete(kind);
    await this.create(kind);
  }

  /** A client asks for what was made for others. */
  private async request(): Promise<void> {
    const shape = this.shapeOf('inner');
    shape?.noteRequest();
    await this.now.log.sync();
    await this.untilPromised();
    if (shape !== undefined) this.account.requested = new Set([...this.account.requested, shape.handle]);
  }

  private async checkpoint(): Promise<void> {
    const { log, shapes } = this.now;
    await shapes.checkpoint();
    await log.release(shapes.releasable);
  }

  /** One after the other: a shape has one Consumer. */
  private apply(): Promise<void> {
    const applied = this.applying.then(() => this.applyAll());
    this.applying = applied.catch(() => {}); // Who asked for it is told.
    return applied;
  }

  /** Inner shapes come before those that depend on them, for these are made behind them. */
  private async applyAll(): Promise<void> {
    const { log, shapes } = this.now;
    await this.sync();
    const through = log.durableEnd;
    const { durable } = this.account;
    for (const shape of this.whole()) {
      this.following = shape.handle;
      const follower = new Follower(this.now, this.account, shape, this.kindOf(shape));
      await follower.follow(through).catch(passGone);
    }
    shapes.advance(through);
    this.account.applied = durable;
  }

  private async readAll(): Promise<void> {
    for (const shape of this.whole()) await this.readers.read(shape).catch(passGone);
  }

  private async untilPromised(): Promise<void> {
    for (let turn = 0; this.isPatient && turn < WITNESS_TURNS; turn += 1) await Promise.resolve();
  }

  private async endLife(isInGoodOrder: boolean): Promise<void> {
    if (isInGoodOrder) await this.now.close();
    this.disk.kill();
    await this.start(true);
    await this.compareAll();
    this.sendAgain();
  }

  /** Postgres does, behind what the log has. */
  private sendAgain(): void {
    for (let commit = this.account.appended + 1; commit <= this.account.sent.length; commit += 1) this.append(commit);
  }

  /** Behind a recovery: Postgres sends the rest again, shapes are made and deleted, logs are compacted, the process is killed once more. */
  private async goOn(): Promise<void> {
    this.sendAgain();
    await this.apply();
    if (this.shapeOf('inner') === undefined) await this.create('inner');
    await Promise.all([this.create('outer'), this.replace('plain')]);
    for (const of of ['move', 'hot', 'hot'] as const) this.send(of);
    await this.apply();
    await this.actOnAll('compact');
    this.disk.kill();
    await this.start(false);
    await this.compareAll();
    await this.checkpoint();
    await settle();
    this.compareFiles();
  }

  private async start(isCompacting: boolean): Promise<void> {
    await this.open(isCompacting);
    for (const note of this.now.notes) this.violate(`no damage was done, and it says: ${note}`);
  }

  private async open(isCompacting: boolean): Promise<void> {
    this.boots += 1;
    this.account.leaving = [];
    this.isCompacting = isCompacting;
    this.growing = [];
    this.applying = Promise.resolve();
    this.storage = await openStorage({
      directory: DIRECTORY,
      clock: new ManualClock(),
      chunkBytesMax: CHUNK_BYTES,
      segmentBytesMax: 1500,
      tailBytesMax: 300,
      packing: { fewBytesMax: FEW_BYTES, packBytesMax: 2 * FEW_BYTES, movedCountMax: 1 },
      ...(isCompacting ? { folder: new RowLineFolder() } : {}),
      compaction: { closedBytesMin: 1, goneShareMin: 0, pauseMs: 0 },
      disk: this.disk.mount(),
      processes: { self: { host: 'here', pid: this.boots, start: '' }, isAlive: () => false },
    });
  }

  /** What damage took is told; the rest is as it was. Of a log that was begun anew no shape is left, and Postgres sends what comes. */
  private compareDamaged(): void {
    const { account, now: { log, shapes, notes, damagedStream } } = this;
    for (const [handle, { isPromised, isDeleted }] of account.shapes) {
      const isLost = isPromised && !isDeleted && shapes.get(handle) === undefined;
      if (isLost && notes.length === 0) this.violate(`shape ${handle} went without a word`);
    }
    const last = damagedStream === undefined ? Number(log.lastCommitLsn) / lsnAt(1) : account.sent.length;
    if (last < account.durable) this.violate(`lost: the log ends with ${last}, ${account.durable} was durable`);
    account.appended = account.durable = account.applied = last;
    for (const handle of account.shapes.keys()) account.with(handle, { isPromised: false });
    this.compareHandles();
    const orphans = [...shapes.all()].filter(({ dependsOn }) => dependsOn.some((inner) => shapes.get(inner) === undefined));
    for (const { handle } of orphans) this.condemn(handle);
  }

  /** As the service does with a shape whose files do not hold, or whose part of the log does not. */
  private async condemning(work: () => Promise<void>): Promise<void> {
    for (let count = 0; count <= CONDEMNED_MAX; count += 1) {
      const damage = await work().catch(damageIn);
      if (damage === undefined) return;
      this.condemn(damage.handle ?? this.following);
    }
    this.violate('it is damaged again and again');
  }

  private condemn(handle: Handle | undefined): void {
    const { shapes } = this.now;
    if (handle === undefined || shapes.get(handle) === undefined) return this.violate(`nobody can condemn shape ${String(handle)}`);
    const dependants = [...shapes.all()].filter(({ dependsOn }) => dependsOn.includes(handle));
    for (const one of [...dependants.map((shape) => shape.handle), handle]) {
      shapes.delete(one, 'damaged');
      this.account.forget(one);
    }
  }

  /** What is left is a prefix with all that was promised, and the rest is made of it again. */
  private async compareAll(): Promise<void> {
    await this.compareLog();
    this.compareHandles();
    await this.apply();
    await this.compareShapes();
  }

  private async compareLog(): Promise<void> {
    const { account, now: { log, shapes } } = this;
    const range = { after: shapes.position, through: log.durableEnd };
    const read = transactionsOf(await log.read(range, upTo(Number.MAX_SAFE_INTEGER)));
    const last = Number(log.lastCommitLsn) / lsnAt(1);
    if (last < account.durable) this.violate(`lost: the log ends with ${last}, ${account.durable} was durable`);
    const held = Number(log.heldLsn);
    if (held < account.toldHeld) this.violate(`the log holds what came before ${held}, and Postgres was told ${account.toldHeld}`);
    if (held > lsnAt(last) + 1) this.violate(`the log claims what came before ${held}, and ends with ${last}`);
    const expected = account.sent.slice(last - read.length, last).map(({ commit, fragments }) => ({ commit, fragments }));
    const found = read.map(({ lsn: at, fragments }) => ({ commit: Number(at) / lsnAt(1), fragments }));
    if (JSON.stringify(found) !== JSON.stringify(expected)) this.violate(`the log has other transactions than ${JSON.stringify(expected)}`);
    account.appended = account.durable = account.applied = last;
  }

  private compareHandles(): void {
    const { account, now: { shapes } } = this;
    for (const [handle, { isPromised, isDeleted }] of account.shapes) {
      const shape = shapes.get(handle);
      if (shape === undefined && isPromised && !isDeleted) this.violate(`shape ${handle} is lost`);
      if (shape !== undefined && account.deleted.has(handle)) this.violate(`shape ${handle} came back`);
      if (shape?.isInner === true && account.requested.has(handle)) this.violate(`nobody asked for shape ${handle}`);
      if (shape === undefined) account.forget(handle);
      else account.with(handle, { isPromised: true, isDeleted: false });
    }
    for (const { handle } of shapes.all()) if (!account.shapes.has(handle)) this.violate(`nobody knows shape ${handle}`);
  }

  private async compareShapes(): Promise<void> {
    for (const shape of this.whole()) await this.readers.compare(shape, this.account.applied);
    for (const shape of this.whole()) this.compareViews(shape);
  }

  /** What a shape may ask for again of those that it depends on was not compacted. */
  private compareViews({ handle, dependsOn, storedViews }: ShapeLog): void {
    dependsOn.forEach((inner, index) => {
      const [through, view] = [this.now.shapes.get(inner)?.compactedThrough, storedViews[index]];
      const isThere = through !== undefined && view !== undefined && compareOffsets(through, view) <= 0;
      if (!isThere) this.violate(`${handle} looks at ${inner} by ${String(view)}, which is compacted through ${String(through)}`);
    });
  }

  private compareFiles(): void {
    for (const path of filesLeftOver(this.disk.files, DIRECTORY, this.whole())) this.violate(`${path} is left over`);
  }

  private whole(): ShapeLog[] {
    return [...this.now.shapes.all()].filter(({ snapshot }) => snapshot.state === 'complete');
  }

  private shapeOf(kind: Kind): ShapeLog | undefined {
    return this.whole().find((shape) => this.kindOf(shape) === kind);
  }

  private kindOf({ handle }: ShapeLog): Kind {
    const facts = this.account.shapes.get(handle);
    if (facts === undefined) throw new Error(`nobody knows shape ${handle}`);
    return facts.kind;
  }

  private violate(violation: Violation): void {
    this.found.push(violation);
  }
}

async function goOnWith({ writer, left }: Growing, count: number): Promise<void> {
  const lines = left.splice(0, count);
  if (lines.length > 0) await writer.write(lines.map(bytes));
}

/** @throws what is no damage. */
function damageIn(error: unknown): { readonly handle?: Handle } {
  if (error instanceof ShapeCorruptError) return error;
  if (error instanceof LogCorruptError) return {};
  throw error;
}

/** Whoever reads or follows a shape may find that it was deleted meanwhile; a reader, that its lines lie elsewhere by now. */
function passGone(error: unknown): void {
  if (!(error instanceof ShapeGoneError || error instanceof LinesReplacedError)) throw error;
}

/** All that a disk in memory does is done by then. */
export async function settle(): Promise<void> {
  await new Promise<void>((resolve) => void systemClock.setTimer(resolve, 0));
}
