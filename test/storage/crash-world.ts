/**
 * A service reduced to its storage: transactions come in, every shape takes them, checkpoints are made, syncs fail, the
 * power goes. Beside it the account of what was promised, to be compared after each crash, from the beginning of each
 * shape, in memory and from the disk.
 */
import { seededRandom, type Random } from '../../src/base/random.ts';
import { BEFORE_ALL, type LogOffset } from '../../src/model/log-offset.ts';
import type { LogPosition } from '../../src/model/log-position.ts';
import type { PgSnapshot } from '../../src/model/pg-snapshot.ts';
import type { Handle } from '../../src/model/shape.ts';
import type { ShapeLog, SnapshotWriter } from '../../src/storage/shapes/shape-logs.ts';
import type { DiskStanding } from '../../src/storage/disk/disk-standing.ts';
import { CheckpointDeferredError, isRefusal, LogCorruptError, ShapeCorruptError, ShapeRefusedError } from '../../src/storage/errors.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { handleOf, shapeOf } from '../support/shapes.ts';
import { bodyOf, bytes, lsn, transactionsOf, upTo, xid } from '../support/storage/stored-samples.ts';
import { MemoryDisk } from './memory-disk.ts';
import { Account, without, withEntry, type Served } from './storage-account.ts';

type Action = 'sync' | 'create' | 'delete' | 'checkpoint';

export type Step =
  | { readonly do: 'transaction'; readonly fragments: number; readonly bytes: number }
  | { readonly do: 'open transaction' | 'apply' | 'apply but the new' | 'read' | 'kill' | Action }
  /** A snapshot that does not see the last transaction, which all have taken, begins while a checkpoint is made. */
  | { readonly do: 'go back during a checkpoint'; readonly turns: number }
  | { readonly do: 'fail'; readonly syncsOf: RegExp; readonly during: Action }
  | { readonly do: 'crash'; readonly during: Action | 'nothing'; readonly turns: number };

/** What a violated promise looks like; an empty list is the hoped-for result. */
export type Violation = string;

const REFUSALS = ['StorageVersionError', 'UnknownContentError'];
/** A snapshot of several chunks. */
const ROWS = 3;
/** More than three rows and the end of a snapshot take where they are short. */
const FEW_BYTES = 300;
const DIRECTORY = '/data';

export class CrashWorld {
  private readonly found: Violation[] = [];
  private boots = 0;
  private isDamaged = false;
  private storage: Storage | undefined;
  /** Of the watch over the disk. */
  private watching = new AbortController();
  /** What the disk refuses is done again, as the service does. */
  private isKept = false;

  private constructor(
    readonly disk: MemoryDisk,
    private readonly account: Account,
    private readonly random: Random,
  ) {}

  static fresh(seed: number): CrashWorld {
    return new CrashWorld(new MemoryDisk(), new Account(), seededRandom(seed));
  }

  /** Of which somebody tries the disk again when it refuses; so nobody ends for that. */
  static watched(): CrashWorld {
    const world = CrashWorld.fresh(0);
    world.isKept = true;
    return world;
  }

  /** The same moment in another world, whose power goes as `seed` says. */
  copy(seed: number): CrashWorld {
    const copy = new CrashWorld(this.disk.image(), this.account.copy(), seededRandom(seed));
    copy.boots = this.boots;
    if (this.storage !== undefined) copy.account.toldHeld = Math.max(copy.account.toldHeld, Number(this.storage.log.heldLsn));
    return copy;
  }

  get violations(): readonly Violation[] {
    return this.found;
  }

  /** @param started called when the storage is open. */
  async run(steps: readonly Step[], started: () => void = () => {}): Promise<readonly Violation[]> {
    await this.start();
    started();
    for (const step of steps) await this.take(step);
    if (this.isKept) await this.settle();
    await this.cut();
    return this.found;
  }

  /** The disk takes everything again: what waited is done, and life went on all the while. */
  private async settle(): Promise<void> {
    this.disk.heal();
    await this.applyAll(false); // Nobody sends again what this process has.
    await this.compare();
    if (this.now.disk.pause !== undefined) this.violate('the disk takes everything, and something waits for it');
  }

  /** The power goes, and comes back; life goes on upon what is left. */
  async cut(): Promise<readonly Violation[]> {
    this.watching.abort();
    this.disk.crash(this.random);
    await this.start();
    await this.compare();
    await this.goOn();
    return this.found;
  }

  /**
   * The process is killed, and what it left is damaged: each shape is served as before, or is condemned with a word and
   * made anew, or the directory is refused in a sentence.
   */
  async survive(damage: (disk: MemoryDisk) => void): Promise<readonly Violation[]> {
    this.watching.abort();
    this.disk.kill();
    damage(this.disk);
    this.isDamaged = true;
    try {
      await this.open();
    } catch (error) {
      if (!REFUSALS.includes((error as Error).name)) this.violate(`it does not come back: ${String(error)}`);
      return this.found;
    }
    await this.heal();
    await this.goOn();
    return this.found;
  }

  /** What a service says, condemns or refuses after damage to what a killed process left; nothing when all is as it was. */
  async losesBy(damage: (disk: MemoryDisk) => void): Promise<readonly string[]> {
    this.disk.kill();
    damage(this.disk);
    this.isDamaged = true;
    try {
      await this.open();
    } catch (error) {
      return [String(error)];
    }
    const { notes, shapes } = this.now;
    const lost: string[] = [...notes];
    for (const shape of shapes.all()) {
      const error: unknown = await follow(shape).catch((thrown: unknown) => thrown);
      if (error instanceof ShapeCorruptError) lost.push(error.message);
    }
    return lost;
  }

  private get now(): Storage {
    if (this.storage === undefined) throw new Error('the world has not started');
    return this.storage;
  }

  private async take(step: Step): Promise<void> {
    if (step.do === 'transaction') this.appendTransaction(step.fragments, step.bytes);
    else if (step.do === 'open transaction') this.appendChanges(`${this.account.commit + 1}/open`);
    else if (step.do === 'crash') await this.crash(step.during, step.turns);
    else if (step.do === 'fail') await this.fail(step.syncsOf, step.during);
    else if (step.do === 'go back during a checkpoint') await this.goBackDuringCheckpoint(step.turns);
    else if (step.do === 'kill') await this.kill();
    else if (step.do === 'apply') await this.applyAll(false);
    else if (step.do === 'apply but the new') await this.applyAll(true);
    else if (step.do === 'read') await this.readAll();
    else await this.begin(step.do);
  }

  private begin(action: Action | 'nothing'): Promise<void> {
    if (action === 'sync') return this.sync();
    if (action === 'create') return this.create();
    if (action === 'delete') return this.delete();
    return action === 'checkpoint' ? this.checkpoint() : Promise.resolve();
  }

  private appendTransaction(fragmentCount: number, byteCount: number): void {
    const { account } = this;
    for (let index = 0; index < fragmentCount; index += 1) this.appendChanges(`${account.commit + 1}/${index}:${'x'.repeat(byteCount)}`);
    account.commit += 1;
    this.now.log.appendCommit(xid(account.commit), lsn(account.commit));
    this.now.log.appendHeld(lsn(account.commit + 1));
    account.appended = [...account.appended, { commit: account.commit, fragments: account.open }];
    account.open = [];
  }

  private appendChanges(fragment: string): void {
    this.now.log.appendChanges(xid(this.account.commit + 1), bytes(fragment));
    this.account.open = [...this.account.open, fragment];
  }

  private async sync(): Promise<void> {
    const through = this.account.commit;
    await this.now.log.sync();
    if (through > this.account.durableCommit) this.account.provenCommit = this.account.durableCommit;
    this.account.durableCommit = Math.max(this.account.durableCommit, through);
  }

  private async create(): Promise<void> {
    const shape = this.newShape();
    await this.unlessRefused(shape, this.fillSnapshot(shape, shape.beginSnapshot(seesAll(this.account.commit))));
  }

  /** A snapshot that the disk refuses ends its shape, and nobody else. */
  private async unlessRefused({ handle }: ShapeLog, filling: Promise<void>): Promise<void> {
    try {
      await filling;
    } catch (error) {
      if (!this.isKept || !isRefusal(error)) throw error;
      this.now.shapes.delete(handle, 'refused');
    }
  }

  private newShape(): ShapeLog {
    const { account } = this;
    account.handles += 1;
    const handle = handleOf(account.handles);
    account.bornAt = withEntry(account.bornAt, handle, account.appliedCommit);
    account.lagging = new Set([...account.lagging, handle]);
    return this.now.shapes.create(handle, shapeOf({}));
  }

  private async fillSnapshot({ handle }: ShapeLog, writer: SnapshotWriter): Promise<void> {
    await writer.write(rowsOf(handle, ROWS).map(bytes));
    await writer.complete();
    await untilWitnessed();
    this.account.complete = withEntry(this.account.complete, handle, ROWS);
  }

  /** Behind the snapshot come more transactions, so that the log would let go of the one that it does not see. */
  private async goBackDuringCheckpoint(turns: number): Promise<void> {
    await this.applyAll(false);
    const hidden = this.account.commit;
    const checkpointing = this.checkpoint();
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    const shape = this.newShape();
    const created = shape.position;
    const writer = shape.beginSnapshot(seesAll(hidden - 1));
    if (shape.position < created) this.account.bornAt = withEntry(this.account.bornAt, shape.handle, hidden - 1);
    for (let more = 0; more < 12; more += 1) this.appendTransaction(1, 60);
    await checkpointing;
    await this.unlessRefused(shape, this.fillSnapshot(shape, writer));
    await this.sync();
    await this.applyAll(false);
  }

  private async delete(): Promise<void> {
    const [shape] = this.now.shapes.all();
    if (shape === undefined) return;
    this.now.shapes.delete(shape.handle, 'a test');
    this.account.complete = without(this.account.complete, shape.handle);
    await this.now.log.sync();
    await untilWitnessed();
    this.account.deleted = new Set([...this.account.deleted, shape.handle]);
  }

  private async checkpoint(): Promise<void> {
    const { disk, log, shapes } = this.now;
    try {
      await disk.insist(async () => {
        await shapes.checkpoint();
        await log.release(shapes.releasable);
      });
    } catch (error) {
      if (!(error instanceof CheckpointDeferredError) || !this.isKept) throw error;
      for (const damage of error.damaged) this.condemnDoubtful(damage);
      await this.checkpoint();
    }
  }

  /** Of a shape whose lines had left the memory when their sync was refused nobody knows what is there: it ends, and no other does. */
  private condemnDoubtful(error: unknown): void {
    const isDoubtful = this.isKept && error instanceof ShapeCorruptError && error.message.includes('a sync failed');
    if (!isDoubtful || !(this.disk.wasRefused('sync') || this.disk.wasRefused('close'))) throw error;
    this.condemn(error.handle);
  }

  /** Brings shapes to the durable end; a lagging one may be left out. */
  private async applyAll(butTheNew: boolean): Promise<void> {
    const { log, shapes } = this.now;
    await this.sync();
    const through = log.durableEnd;
    const { durableCommit } = this.account;
    for (const shape of shapes.all()) {
      if (butTheNew && this.account.lagging.has(shape.handle)) continue;
      if (shape.snapshot.state === 'complete') await this.applyTo(shape, through);
    }
    shapes.advance(through);
    this.account.appliedCommit = durableCommit;
  }

  /** As a Consumer does, a shape is condemned when the log is damaged that it has yet to take. */
  private async applyTo(shape: ShapeLog, through: LogPosition): Promise<void> {
    try {
      await this.apply(shape, through);
    } catch (error) {
      if (error instanceof LogCorruptError && this.isDamaged) this.condemn(shape.handle);
      else this.condemnDoubtful(error);
    }
  }

  /** Of a transaction that comes in parts, the first gives its first line, which goes to the files before anybody may see it. */
  private async apply(shape: ShapeLog, through: LogPosition): Promise<void> {
    let isInside = false;
    for (let after = shape.position; after < through; ) {
      const block = await patient(() => this.now.log.read({ after, through }, upTo(300)));
      for (const { lsn: commit, isUnfinished } of block.transactions) {
        const lines = linesOf(shape.handle, Number(commit)).entries();
        for (const [index, line] of lines) {
          if ((isInside && index === 0) || (isUnfinished && (isInside || index > 0))) continue;
          shape.append(commit, 2 * index, bytes(line));
        }
        isInside = isUnfinished;
      }
      if (isInside) await patient(() => this.now.disk.insist(() => this.now.shapes.spill(shape.handle)));
      else shape.publish(block.through);
      after = block.through;
    }
    this.account.lagging = new Set([...this.account.lagging].filter((handle) => handle !== shape.handle));
  }

  /** Reads every shape from its beginning, request by request, as a client does. */
  private async readAll(): Promise<void> {
    for (const shape of this.now.shapes.all()) {
      if (shape.snapshot.state === 'complete') this.account.served = [...this.account.served, ...(await follow(shape))];
    }
  }

  private async crash(during: Action | 'nothing', turns: number): Promise<void> {
    const underWay = this.begin(during).catch(() => {}); // It dies with the machine.
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    this.account.toldHeld = Number(this.now.log.heldLsn);
    this.watching.abort();
    this.disk.crash(this.random);
    await underWay;
    await this.start();
    await this.compare();
  }

  /** A sync is refused: the process ends, and the next one finds what the kernel has. */
  private async fail(syncsOf: RegExp, during: Action): Promise<void> {
    this.disk.fail('sync', 'EIO', syncsOf);
    await this.begin(during).catch(() => {});
    await this.kill();
  }

  private async kill(): Promise<void> {
    this.watching.abort();
    this.disk.kill();
    await this.start();
    await this.compare();
  }

  private async goOn(): Promise<void> {
    this.appendTransaction(1, 200);
    await this.applyAll(false);
    await this.create();
    await this.kill();
  }

  private async start(): Promise<void> {
    this.account.isWitnessed = false;
    await this.open();
    await untilWitnessed();
    this.account.isWitnessed = true;
    for (const note of this.now.notes) this.violate(`no damage was done, and it says: ${note}`);
  }

  private async open(): Promise<void> {
    this.boots += 1;
    this.account.open = [];
    const self = { host: 'here', pid: this.boots, start: '' };
    this.storage = await openStorage({
      directory: DIRECTORY,
      clock: new ManualClock(),
      chunkBytesMax: 60,
      segmentBytesMax: 400,
      tailBytesMax: 300,
      packing: { fewBytesMax: FEW_BYTES, packBytesMax: 2 * FEW_BYTES, movedCountMax: 1 },
      disk: this.disk.mount(),
      processes: { self, isAlive: () => false },
    });
    this.watching = new AbortController();
    if (this.isKept) void watchOver(this.storage.disk, this.watching.signal);
    const { shapes } = this.storage;
    this.account.lagging = new Set([...shapes.all()].filter(({ position }) => position < shapes.position).map(({ handle }) => handle));
  }

  private violate(violation: Violation): void {
    this.found.push(violation);
  }

  /** What damage took away is condemned by whoever meets it; the rest is as it was. */
  private async heal(): Promise<void> {
    const { log, shapes, notes } = this.now;
    const { account } = this;
    const lost = [...account.complete.keys()].filter((handle) => shapes.get(handle) === undefined);
    if (lost.length > 0 && notes.length === 0 && account.isWitnessed) this.violate(`${lost} went without a word`);
    for (const handle of lost) this.condemn(handle);
    if (!account.isWitnessed) account.deleted = new Set([...account.deleted].filter((handle) => shapes.get(handle) === undefined));
    account.served = account.served.filter(({ handle }) => shapes.get(handle) !== undefined); // Some were on their way out.
    const last = Number(log.lastCommitLsn);
    if (account.isWitnessed && last < account.provenCommit && [...shapes.all()].length > 0)
      this.violate(`lost: the log ends with ${last}, ${account.provenCommit} was durable, and its witness was written`);
    account.appended = account.appended.filter(({ commit }) => commit <= last); // Postgres sends the rest again.
    account.durableCommit = last;
    await this.applyAll(false);
    for (const handle of account.complete.keys()) await this.condemnIfDamaged(handle);
    await this.checkpointCondemning();
    await this.compareShapes();
    account.complete = new Map([...shapes.all()].map(({ handle }) => [handle, ROWS]));
  }

  private async condemnIfDamaged(handle: Handle): Promise<void> {
    const shape = this.now.shapes.get(handle);
    const error: unknown = shape === undefined ? undefined : await follow(shape).catch((thrown: unknown) => thrown);
    if (error instanceof ShapeCorruptError) this.condemn(handle);
  }

  /** A checkpoint names a damaged shape; the one after its deletion is without it. */
  private async checkpointCondemning(): Promise<void> {
    for (let isDone = false; !isDone; ) {
      isDone = true;
      await this.checkpoint().catch((error: unknown) => {
        if (!(error instanceof CheckpointDeferredError)) throw error;
        for (const { handle } of error.damaged) this.condemn(handle);
        isDone = false;
      });
    }
    for (const { handle } of [...this.now.shapes.all()]) await this.condemnIfDamaged(handle);
  }

  private condemn(handle: Handle): void {
    this.now.shapes.delete(handle, 'damaged');
    this.account.complete = without(this.account.complete, handle);
    this.account.served = this.account.served.filter((served) => served.handle !== handle);
  }

  private async compare(): Promise<void> {
    await this.compareLog();
    this.compareHandles();
    await this.applyAll(false);
    await this.compareShapes();
    await this.checkpoint(); // From here on it is read from the disk.
    await this.compareShapes();
  }

  private async compareShapes(): Promise<void> {
    for (const shape of this.now.shapes.all()) await this.compareShape(shape);
    await this.compareServed();
  }

  /** What is left is a prefix of what was appended, and has all that was promised. */
  private async compareLog(): Promise<void> {
    const { log, shapes } = this.now;
    const { account } = this;
    const range = { after: shapes.position, through: log.durableEnd };
    const found = transactionsOf(await patient(() => log.read(range, upTo(Number.MAX_SAFE_INTEGER))));
    const last = Number(found.at(-1)?.lsn ?? Math.min(account.appliedCommit, Number(log.lastCommitLsn)));
    if (last < account.durableCommit) this.violate(`lost: the log ends with ${last}, ${account.durableCommit} was durable`);
    const held = Number(log.heldLsn);
    if (held < account.toldHeld) this.violate(`the log holds what came before ${held}, and Postgres was told ${account.toldHeld}`);
    if (held > last + 1) this.violate(`the log claims what came before ${held}, and ends with ${last}`);
    account.appended = account.appended.filter(({ commit }) => commit <= last);
    const first = Number(found[0]?.lsn ?? last + 1);
    const expected = account.appended.filter(({ commit }) => commit >= first);
    const same = JSON.stringify(found.map(({ fragments }) => fragments)) === JSON.stringify(expected.map(({ fragments }) => fragments));
    if (!same) this.violate(`the log has ${found.map(({ lsn: commit }) => commit)}, not ${expected.map(({ commit }) => commit)}`);
    account.commit = last; // Postgres sends the rest again.
    account.durableCommit = last;
    account.appliedCommit = last;
  }

  private compareHandles(): void {
    const { account } = this;
    const found = new Set([...this.now.shapes.all()].map(({ handle }) => handle));
    for (const handle of account.complete.keys()) if (!found.has(handle)) this.violate(`shape ${handle} is lost`);
    for (const handle of account.deleted) if (found.has(handle)) this.violate(`shape ${handle} came back`);
    account.complete = new Map([...found].map((handle) => [handle, ROWS]));
    account.served = account.served.filter(({ handle }) => found.has(handle));
  }

  private async compareShape(shape: ShapeLog): Promise<void> {
    const { account } = this;
    const born = account.bornAt.get(shape.handle) ?? 0;
    const commits = account.appended.filter(({ commit }) => commit > born);
    const expected = [...rowsOf(shape.handle, ROWS), commits.flatMap(({ commit }) => linesOf(shape.handle, commit))].flat();
    const read = await follow(shape).then((parts) => parts.map(({ body }) => body).filter((body) => body !== '').join(','), String);
    const found = read.replace(/,?\{"headers":\{"control":"snapshot-end"[^}]*\}\}/, '');
    if (found !== expected.join(',')) this.violate(`shape ${shape.handle} has ${found}, not ${expected.join(',')}`);
  }

  /** The same URL gives the same bytes, or more of them when the chunk was still open. */
  private async compareServed(): Promise<void> {
    for (const { handle, after, body, upToDate } of this.account.served) {
      const shape = this.now.shapes.get(handle);
      const reading = shape === undefined ? Promise.resolve({ outcome: 'gone' }) : patient(() => bodyOf(shape.read(after)));
      const read = await reading.catch((error: Error) => ({ outcome: error.message }));
      const again = 'body' in read ? read.body : read.outcome;
      const isSame = again === body || (upToDate && (body === '' || again.startsWith(`${body},`)));
      if (!isSame) this.violate(`shape ${handle} after ${after} gave ${body}, now ${again}`);
    }
  }
}

/** Follows a shape's log from its beginning to its end. */
async function follow(shape: ShapeLog): Promise<Served[]> {
  const served: Served[] = [];
  for (let after: LogOffset = BEFORE_ALL; ; ) {
    const answer = await patient(() => readBehind(shape, after));
    if (answer === undefined) return served;
    const { end, ...part } = answer;
    served.push(part);
    if (part.upToDate) return served;
    after = end;
  }
}

async function readBehind(shape: ShapeLog, after: LogOffset): Promise<(Served & { readonly end: LogOffset }) | undefined> {
  const read = shape.read(after);
  const answer = await bodyOf(read);
  if (read.outcome !== 'entries' || !('body' in answer)) return undefined;
  return { handle: shape.handle, after, body: answer.body, upToDate: read.upToDate, end: read.end };
}

/** Who reads and is refused comes again. */
async function patient<Result>(read: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (!isRefusal(error) && !(error instanceof ShapeRefusedError)) throw error;
    }
  }
}

/** Every other snapshot has more than few bytes. */
function rowsOf(handle: Handle, count: number): string[] {
  const width = Number(handle.split('-')[0]) % 2 === 0 ? 90 : 20;
  return Array.from({ length: count }, (_, index) => JSON.stringify(`row ${index} of ${handle} ${'.'.repeat(width)}`));
}

/** The witness of the log is written behind the sync that it tells of: only then damage to the last group cannot go unseen. */
async function untilWitnessed(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

/** Some transactions do not touch a shape. */
function linesOf(handle: Handle, commit: number): string[] {
  const count = (commit + Number(handle.split('-')[0])) % 3;
  return Array.from({ length: count }, (_, index) => JSON.stringify(`${handle} ${lsn(commit)} ${index}`));
}

function seesAll(through: number): PgSnapshot {
  return { xmin: String(through + 1), xmax: String(through + 1), xip: [], insertLsn: lsn(through) };
}

/** As the disk monitor does, without its pauses. */
async function watchOver(disk: DiskStanding, signal: AbortSignal): Promise<void> {
  disk.keep();
  for (await disk.whenRefused(signal); !signal.aborted; await disk.whenRefused(signal)) await disk.tryAgain(signal);
  disk.end();
}
