/**
 * A service reduced to its storage: transactions come in, every shape takes them, checkpoints are made, the power goes.
 * Beside it a plain account of what was promised, to be compared after each crash.
 */
import { seededRandom, type Random } from '../../src/base/random.ts';
import { SNAPSHOT_END, type LogOffset } from '../../src/model/log-offset.ts';
import type { LogPosition } from '../../src/model/log-position.ts';
import type { Handle } from '../../src/model/shape.ts';
import type { ShapeLog } from '../../src/storage/shapes/shape-logs.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { handleOf, shapeOf } from '../support/shapes.ts';
import { bodyOf, bytes, lsn, pgSnapshot, transactionsOf, xid } from '../support/stored-samples.ts';
import { MemoryDisk } from './memory-disk.ts';

export type Step =
  | { readonly do: 'transaction'; readonly fragments: number; readonly bytes: number }
  | { readonly do: 'open transaction' | 'sync' | 'create' | 'apply' | 'apply but the new' | 'checkpoint' | 'delete' | 'read' }
  | { readonly do: 'crash'; readonly during: 'nothing' | 'sync' | 'create' | 'delete' | 'checkpoint'; readonly turns: number };

interface Served {
  readonly handle: Handle;
  readonly after: LogOffset;
  readonly body: string;
  readonly upToDate: boolean;
}

/** What a violated promise looks like; an empty list is the hoped-for result. */
export type Violation = string;

export class CrashWorld {
  readonly violations: Violation[] = [];
  private readonly disk = new MemoryDisk();
  private readonly random: Random;
  private boots = 0;
  private storage: Storage | undefined;
  private commit = 0;
  private handles = 0;
  /** Committed into the log, in order. */
  private appended: { readonly commit: number; readonly fragments: string[] }[] = [];
  /** Fragments of the transaction that is open. */
  private open: string[] = [];
  private durableCommit = 0;
  /** What Postgres may have been told to forget. */
  private toldHeld = 0;
  /** Each shape's first transaction is the one after this. */
  private readonly bornAt = new Map<Handle, number>();
  private readonly complete = new Set<Handle>();
  private readonly deleted = new Set<Handle>();
  /** Shapes that no `apply` has reached yet. */
  private lagging = new Set<Handle>();
  private appliedCommit = 0;
  private served: Served[] = [];

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  async run(steps: readonly Step[]): Promise<readonly Violation[]> {
    await this.start();
    for (const step of steps) await this.take(step);
    await this.take({ do: 'crash', during: 'nothing', turns: 0 });
    return this.violations;
  }

  private get now(): Storage {
    if (this.storage === undefined) throw new Error('the world has not started');
    return this.storage;
  }

  private async take(step: Step): Promise<void> {
    if (step.do === 'transaction') this.appendTransaction(step.fragments, step.bytes);
    else if (step.do === 'open transaction') this.appendChanges(`${this.commit + 1}/open`);
    else if (step.do === 'crash') await this.crash(step.during, step.turns);
    else if (step.do === 'apply') await this.applyAll(false);
    else if (step.do === 'apply but the new') await this.applyAll(true);
    else if (step.do === 'read') await this.readAll();
    else await this.begin(step.do);
  }

  private begin(action: 'sync' | 'create' | 'delete' | 'checkpoint' | 'nothing'): Promise<void> {
    if (action === 'sync') return this.sync();
    if (action === 'create') return this.create();
    if (action === 'delete') return this.delete();
    return action === 'checkpoint' ? this.checkpoint() : Promise.resolve();
  }

  private appendTransaction(fragmentCount: number, byteCount: number): void {
    for (let index = 0; index < fragmentCount; index += 1) this.appendChanges(`${this.commit + 1}/${index}:${'x'.repeat(byteCount)}`);
    this.commit += 1;
    this.now.log.appendCommit(xid(this.commit), lsn(this.commit));
    this.now.log.appendHeld(lsn(this.commit + 1));
    this.appended.push({ commit: this.commit, fragments: this.open });
    this.open = [];
  }

  private appendChanges(fragment: string): void {
    this.now.log.appendChanges(xid(this.commit + 1), bytes(fragment));
    this.open.push(fragment);
  }

  private async sync(): Promise<void> {
    const through = this.commit;
    await this.now.log.sync();
    this.durableCommit = Math.max(this.durableCommit, through);
  }

  private async create(): Promise<void> {
    this.handles += 1;
    const handle = handleOf(this.handles);
    this.bornAt.set(handle, this.appliedCommit);
    this.lagging.add(handle);
    const shape = this.now.shapes.create(handle, shapeOf({}));
    const writer = shape.beginSnapshot(pgSnapshot);
    await writer.write([bytes(`"row of ${handle}"`)]);
    await writer.complete();
    this.complete.add(handle);
  }

  private async delete(): Promise<void> {
    const [shape] = this.now.shapes.all();
    if (shape === undefined) return;
    this.now.shapes.delete(shape.handle, 'a test');
    this.complete.delete(shape.handle);
    await this.now.log.sync();
    this.deleted.add(shape.handle);
  }

  private async checkpoint(): Promise<void> {
    const { log, shapes } = this.now;
    const position = await shapes.checkpoint();
    await log.release(position);
  }

  /** Brings shapes to the durable end; a lagging one may be left out. */
  private async applyAll(butTheNew: boolean): Promise<void> {
    const { log, shapes } = this.now;
    await this.sync();
    const through = log.durableEnd;
    for (const shape of shapes.all()) {
      if (butTheNew && this.lagging.has(shape.handle)) continue;
      if (shape.snapshot.state === 'complete') await this.apply(shape, through);
    }
    shapes.advance(through);
    this.appliedCommit = this.commit;
  }

  private async apply(shape: ShapeLog, through: LogPosition): Promise<void> {
    for (let after = shape.position; after < through; ) {
      const block = await this.now.log.read({ after, through }, 300);
      for (const { lsn: commit } of block.transactions) {
        linesOf(shape.handle, Number(commit)).forEach((line, index) => shape.append(commit, 2 * index, bytes(line)));
      }
      shape.publish(block.through);
      after = block.through;
    }
    this.lagging.delete(shape.handle);
  }

  /** Reads every shape from its begin, request by request, as a client does. */
  private async readAll(): Promise<void> {
    for (const shape of this.now.shapes.all()) this.served.push(...(await follow(shape)));
  }

  private async crash(during: 'nothing' | 'sync' | 'create' | 'delete' | 'checkpoint', turns: number): Promise<void> {
    const underWay = this.begin(during).catch(() => {}); // It dies with the machine.
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    this.open = [];
    this.toldHeld = Number(this.now.log.heldLsn);
    this.disk.crash(this.random);
    await underWay;
    await this.start();
    await this.compare();
  }

  private async start(): Promise<void> {
    this.boots += 1;
    const self = { host: 'here', pid: this.boots, start: '' };
    this.storage = await openStorage({
      directory: '/data',
      clock: new ManualClock(),
      chunkBytesMax: 60,
      segmentBytesMax: 400,
      tailBytesMax: 300,
      disk: this.disk.mount(),
      processes: { self, isAlive: () => false },
    });
    const { shapes } = this.storage;
    this.lagging = new Set([...shapes.all()].filter(({ position }) => position < shapes.position).map(({ handle }) => handle));
  }

  private async compare(): Promise<void> {
    await this.compareLog();
    this.compareHandles();
    await this.applyAll(false);
    for (const shape of this.now.shapes.all()) await this.compareShape(shape);
    await this.compareServed();
  }

  /** What is left is a prefix of what was appended, and has all that was promised. */
  private async compareLog(): Promise<void> {
    const { log, shapes } = this.now;
    const range = { after: shapes.position, through: log.durableEnd };
    const found = transactionsOf(await log.read(range, Number.MAX_SAFE_INTEGER));
    const last = Number(found.at(-1)?.lsn ?? Math.min(this.appliedCommit, Number(log.lastCommitLsn)));
    if (last < this.durableCommit) this.violations.push(`lost: the log ends with ${last}, ${this.durableCommit} was durable`);
    const held = Number(log.heldLsn);
    if (held < this.toldHeld) this.violations.push(`the log holds what came before ${held}, and Postgres was told ${this.toldHeld}`);
    if (held > last + 1) this.violations.push(`the log claims what came before ${held}, and ends with ${last}`);
    this.appended = this.appended.filter(({ commit }) => commit <= last);
    const first = Number(found[0]?.lsn ?? last + 1);
    const expected = this.appended.filter(({ commit }) => commit >= first);
    const same = JSON.stringify(found.map(({ fragments }) => fragments)) === JSON.stringify(expected.map(({ fragments }) => fragments));
    if (!same) this.violations.push(`the log has ${found.map(({ lsn: commit }) => commit)}, not ${expected.map(({ commit }) => commit)}`);
    this.commit = last; // Postgres sends the rest again.
    this.durableCommit = last;
    this.appliedCommit = last;
  }

  private compareHandles(): void {
    const found = new Set([...this.now.shapes.all()].map(({ handle }) => handle));
    for (const handle of this.complete) if (!found.has(handle)) this.violations.push(`shape ${handle} is lost`);
    for (const handle of this.deleted) if (found.has(handle)) this.violations.push(`shape ${handle} came back`);
    this.complete.clear();
    for (const handle of found) this.complete.add(handle);
    this.served = this.served.filter(({ handle }) => found.has(handle));
  }

  private async compareShape(shape: ShapeLog): Promise<void> {
    const born = this.bornAt.get(shape.handle) ?? 0;
    const commits = this.appended.filter(({ commit }) => commit > born);
    const expected = commits.flatMap(({ commit }) => linesOf(shape.handle, commit));
    const found = (await follow(shape)).map(({ body }) => body).filter((body) => body !== '').join(',');
    if (found !== expected.join(',')) this.violations.push(`shape ${shape.handle} has ${found}, not ${expected.join(',')}`);
  }

  /** The same URL gives the same bytes, or more of them when the chunk was still open. */
  private async compareServed(): Promise<void> {
    for (const { handle, after, body, upToDate } of this.served) {
      const shape = this.now.shapes.get(handle);
      const read = shape === undefined ? { outcome: 'gone' } : await bodyOf(shape.read(after));
      const again = 'body' in read ? read.body : read.outcome;
      const isSame = again === body || (upToDate && (body === '' || again.startsWith(`${body},`)));
      if (!isSame) this.violations.push(`shape ${handle} after ${after} gave ${body}, now ${again}`);
    }
  }
}

/** Follows a shape's log to its end. */
async function follow(shape: ShapeLog): Promise<Served[]> {
  const served: Served[] = [];
  for (let after: LogOffset = SNAPSHOT_END; ; ) {
    const read = shape.read(after);
    const answer = await bodyOf(read);
    if (read.outcome !== 'lines' || !('body' in answer)) return served;
    served.push({ handle: shape.handle, after, body: answer.body, upToDate: read.upToDate });
    if (read.upToDate) return served;
    after = read.end;
  }
}

/** Some transactions do not touch a shape. */
function linesOf(handle: Handle, commit: number): string[] {
  const count = (commit + Number(handle.split('-')[0])) % 3;
  return Array.from({ length: count }, (_, index) => JSON.stringify(`${handle} ${lsn(commit)} ${index}`));
}
