/**
 * ShapeDirectory: which handle serves which definition, who waits for it, and what follows when it begins or ends. The
 * shape cache's table; requests read it directly, as an ETS table is read.
 *
 * It is an index over the lives of the handles (`handle-life.ts`), and leads each from event to event. A definition is
 * reserved in the same step that finds it missing, with the inner shapes that it names, so that it never has two handles.
 * Whom it takes along who ends, `DependentLives` says; how the stored ones come back, `Restoration`.
 * A shape that nothing touches sleeps: it has no Consumer, and gets one by the first word that something is to be taken.
 *
 * A step tells one thing. What else comes of it waits here, and is told one by one as `settle` asks for it: shapes whose
 * Consumer can be asked for, since those of all their inner shapes are live, shapes that went before they had one, and inner
 * shapes that lost their last dependant.
 */
import type { Fork } from '../../base/fork.ts';
import { invariant } from '../../base/invariant.ts';
import { newHandle, type Handle, type ShapeDefinition } from '../../model/shape.ts';
import type { ExitReason, Message, Pid, ReplyTo, Table } from '../../otp/process.ts';
import type { IdleShapes } from '../collector/idle-shapes.ts';
import type { InnerShape } from '../consumer/consumer-setup.ts';
import { downCause, hasSlept, isDamage } from '../down-cause.ts';
import { DependentLives } from './dependent-lives.ts';
import type { DirectoryPorts } from './directory-ports.ts';
import { condemnedMessage, consumersOf, damageTold, filterTold, goneMessage } from './ended-shapes.ts';
import { isServing, type Life } from './handle-life.ts';
import { FORSAKEN, LOT_MAX, Restoration } from './restoration.ts';
import { whyItEnded, type LifeEnd, type ShapeLife } from './shape-lives.ts';
import { StartQueue } from './start-queue.ts';

export type DirectoryChange =
  | { readonly type: 'reserve'; readonly definition: ShapeDefinition; readonly replyTo: ReplyTo }
  | { readonly type: 'noteReader'; readonly handle: Handle }
  | { readonly type: 'started'; readonly handle: Handle; readonly pid: Pid }
  /** `isDelayed`: its supervisor has not heard yet that the Consumer before has ended. */
  | { readonly type: 'refused'; readonly handle: Handle; readonly why: string; readonly isDelayed?: boolean }
  | { readonly type: 'condemn'; readonly handle: Handle; readonly why: string; readonly isDamaged?: boolean; readonly replyTo: ReplyTo }
  /** What is stored of it does not hold. */
  | { readonly type: 'condemnDamaged'; readonly handle: Handle; readonly why: string }
  | { readonly type: 'confirm'; readonly handle: Handle; readonly replyTo: ReplyTo }
  | { readonly type: 'down'; readonly pid: Pid; readonly reason: ExitReason }
  /** There is something to take for shapes that the collector brings nothing to. */
  | { readonly type: 'touched'; readonly handles: readonly Handle[] }
  /** Nothing has touched these, each with its Consumer: who of them may sleep? */
  | (IdleShapes & { readonly type: 'idle' })
  /** They may have, and do not. */
  | (IdleShapes & { readonly type: 'stayed' })
  /** Of the stored shapes some more are entered, then some more laid to rest; then, one by one, the others' Consumers are asked for. */
  | { readonly type: 'enterMore' }
  | { readonly type: 'restMore' }
  | { readonly type: 'restoreNext' }
  | { readonly type: 'condemnShapes'; readonly handles: readonly Handle[]; readonly why: string }
  /** Likewise, but for those on which others depend. */
  | { readonly type: 'expire'; readonly handles: readonly Handle[]; readonly why: string }
  | { readonly type: 'purge'; readonly why: string; readonly replyTo: ReplyTo }
  /** What else has come of it all? */
  | 'settle';

/**
 * Consumers of one shape, in a row, that ended before anybody watched them, so that nobody knows why. Each may have drained, and if
 * not, the next one meets what that one met.
 */
const UNWATCHED_MAX = 8;

/** Of shapes that come back, so many are told together. */
const RESTORED_STEP = 100;

export class ShapeDirectory implements Table<DirectoryChange> {
  private readonly lives: DependentLives;
  private readonly starts: StartQueue;
  private readonly restoration: Restoration;
  /** Who is told when no condemned shape is left. */
  private purgers: ReplyTo[];
  /** How many were back of how many when that was told last. A copy tells nobody. */
  private toldRestored: { readonly restored: number; readonly of: number } | undefined;

  constructor(
    private readonly ports: DirectoryPorts,
    private readonly lotMax = LOT_MAX,
    original?: ShapeDirectory,
  ) {
    this.lives = new DependentLives(ports, original?.lives);
    this.starts = new StartQueue(this.lives, original?.starts);
    this.restoration = new Restoration(ports, this.lives, this.starts, lotMax, original?.restoration);
    this.purgers = [...(original?.purgers ?? [])];
  }

  /** The handle that serves this definition; undefined when there is none, or only a condemned one. */
  find(definition: ShapeDefinition): Handle | undefined {
    return this.lives.find(definition);
  }

  /**
   * Likewise for a reader, who asks its Consumer when to begin: one whose first Consumer is not there yet is not found. Nor is
   * an inner shape before its first reader has asked for it, so that it is known to be read; those who come later find it.
   */
  findReadable(definition: ShapeDefinition): Handle | undefined {
    const handle = this.find(definition);
    const log = handle && this.ports.shapeLogs.get(handle);
    if (log === undefined || log.isInner) return undefined;
    return log.snapshot.state === 'complete' || this.lives.isReady(log.handle) ? handle : undefined;
  }

  /** It was made for others, and goes with the last of them: no client has asked for it, or read it. */
  isForOthers(handle: Handle): boolean {
    return this.ports.shapeLogs.get(handle)?.isInner === true;
  }

  /** The definition behind a handle that can be served; also behind a stored one that is still to be entered. */
  definitionOf(handle: Handle): ShapeDefinition | undefined {
    const shape = this.lives.get(handle);
    if (shape === undefined) return this.ports.shapeLogs.get(handle)?.definition;
    return shape !== undefined && isServing(shape.life) ? shape.definition : undefined;
  }

  /** Requests are led to it, and its whole snapshot is there to be read: nobody need be asked whether it has begun. */
  hasWholeSnapshot(handle: Handle): boolean {
    return this.lives.isServing(handle) && this.ports.shapeLogs.get(handle)?.snapshot.state === 'complete';
  }

  /** Others depend on it. */
  isNeeded(handle: Handle): boolean {
    return this.lives.outerOf(handle).size > 0;
  }

  /** It serves, and has no Consumer until something touches it. */
  isDormant(handle: Handle): boolean {
    return this.lives.get(handle)?.life === 'dormant';
  }

  /** What kept it, or one that it depended on, from its first row; undefined when nothing did, or when that was long ago. */
  failureOf(handle: Handle): unknown {
    return this.lives.ends.failureOf(handle);
  }

  /** How many handles live so at present; of `gone`, how many there were since this directory began. */
  count(life: Life): number {
    return this.lives.count(life);
  }

  get size(): number {
    return this.lives.size;
  }

  /** How many of them are back: they are followed, or nobody need follow them. */
  get back(): number {
    return this.count('live') + this.count('drowsy') + this.count('roused') + this.count('dormant');
  }

  apply(change: DirectoryChange): Message | undefined {
    if (change === 'settle') return this.settle();
    switch (change.type) {
      case 'reserve':
        return this.reserve(change.definition, change.replyTo);
      case 'noteReader':
        return void this.ports.shapeLogs.get(change.handle)?.noteRequest();
      case 'started':
        return this.started(change.handle, change.pid);
      case 'refused':
        return change.isDelayed === true && this.isStarting(change.handle) ? this.askAgain(change.handle) : this.refused(change);
      case 'condemn':
        return this.condemnOnRequest(change.handle, { why: change.why, isTold: false, isDamaged: change.isDamaged }, change.replyTo);
      case 'condemnDamaged':
        return this.condemnDamaged(change.handle, change.why);
      case 'confirm':
        return { type: this.definitionOf(change.handle) === undefined ? 'shape.isGone' : 'shape.isKept', replyTo: change.replyTo };
      case 'down':
        return this.down(change.pid, change.reason);
      case 'touched':
        return this.touched(change.handles);
      case 'idle':
        return this.letSleep(change);
      case 'stayed':
        return this.stayed(change);
      case 'enterMore':
        return { type: this.restoration.enterMore() ? 'shapes.partlyEntered' : 'shapes.entered' };
      case 'restMore':
        return this.restMore();
      case 'restoreNext':
        return this.restoreNext();
      case 'condemnShapes':
        return this.condemnShapes(change.handles, change.why);
      case 'expire':
        return this.condemnShapes(change.handles.filter((handle) => this.lives.outerOf(handle).size === 0), change.why);
      case 'purge':
        return this.purge(change.why, change.replyTo);
    }
  }

  clone(fork: Fork): ShapeDirectory {
    return new ShapeDirectory(this.ports.clone(fork), this.lotMax, this);
  }

  key(): string {
    return JSON.stringify([this.lives.key(), this.starts.key(), this.restoration.key(), this.purgers]);
  }

  private reserve(definition: ShapeDefinition, replyTo: ReplyTo): Message | undefined {
    const handle = this.findOrBegin(definition, false);
    this.ports.shapeLogs.get(handle)?.noteRequest();
    if (this.lives.isReady(handle)) return { type: 'shape.found', handle, replyTo };
    this.lives.waiting.add(handle, replyTo);
    return this.startNext();
  }

  /** Inner shapes first, so that each record of the log names what is there. */
  private findOrBegin(definition: ShapeDefinition, isInner: boolean): Handle {
    const known = this.find(definition);
    if (known !== undefined) {
      if (isInner) this.rouse(known); // Whoever depends on it is told of what moves by its Consumer.
      return known;
    }
    const dependsOn = (definition.dependencies ?? []).map(({ shape }) => this.findOrBegin(shape, true));
    const handle = this.unusedHandle(definition);
    this.starts.enter(this.ports.shapeLogs.create(handle, definition, dependsOn, isInner));
    return handle;
  }

  private unusedHandle(definition: ShapeDefinition): Handle {
    const epochMicros = this.ports.clock.epochMicros();
    for (let later = 0; ; later += 1) {
      const handle = newHandle(definition, epochMicros + later);
      if (this.lives.get(handle) === undefined && this.ports.shapeLogs.get(handle) === undefined) return handle;
    }
  }

  private settle(): Message | undefined {
    const told = this.lives.takeUnheard() ?? this.countCondemned();
    if (told !== undefined || !this.restoration.isDone) return told; // Stored ones come back one after the other.
    return this.condemnShapes(this.lives.takeForsaken(), FORSAKEN) ?? this.startNext();
  }

  private startNext(): Message | undefined {
    const handle = this.starts.take();
    return handle === undefined ? undefined : this.request(handle);
  }

  private request(handle: Handle): Message {
    const { definition } = this.lives.step(handle, 'consumer.requested');
    const fault = this.ports.faultOf(definition);
    if (fault !== undefined) return this.refused({ handle, why: `this version does not take its filter: ${fault}` });
    const log = this.ports.shapeLogs.get(handle);
    invariant(log !== undefined, `a shape has a log until it is gone: ${handle}`);
    const dependencies = log.dependsOn.map((inner, index) => this.innerShape(inner, definition.dependencies?.[index]?.column));
    return {
      type: 'shape.reserved',
      handle,
      mode: log.snapshot.state === 'complete' ? 'restore' : 'create',
      relation: definition.relation,
      ...(dependencies.length === 0 ? {} : { dependencies }),
    };
  }

  private innerShape(handle: Handle, column: string | undefined): InnerShape {
    const consumer = this.lives.get(handle)?.consumer;
    invariant(consumer !== undefined && column !== undefined, `what depends on ${handle} names a column, and starts when it is live`);
    return { handle, column, consumer };
  }

  private started(handle: Handle, pid: Pid): Message {
    const shape = this.lives.step(handle, 'consumer.started', { consumer: pid });
    const replies = this.lives.waiting.take(handle);
    if (shape.life === 'condemned') return { type: 'shape.condemned', handle, pids: [pid], replies, why: whyItEnded(shape) };
    for (const outer of this.lives.outerOf(handle)) this.starts.add(outer);
    if (this.hasWholeSnapshot(handle)) return { type: 'shape.started', handle, pid, replies, comesBack: true };
    this.ports.started?.(handle);
    return { type: 'shape.started', handle, pid, replies };
  }

  private isStarting(handle: Handle): boolean {
    return this.lives.get(handle)?.life === 'starting';
  }

  /** The end of a process is told to each who watches it on a way of its own, so we may have heard of it first. */
  private askAgain(handle: Handle): Message | undefined {
    this.lives.step(handle, 'consumer.delayed');
    this.starts.add(handle);
    return this.startNext();
  }

  private refused({ handle, why }: { readonly handle: Handle; readonly why: string }): Message {
    const replies = this.lives.waiting.take(handle);
    const ended = this.lives.end(handle, 'consumer.refused', { why, isTold: false });
    return { type: 'shape.refused', handle, why, replies, ...ended };
  }

  private condemnOnRequest(handle: Handle, end: LifeEnd, replyTo: ReplyTo): Message {
    if (this.definitionOf(handle) === undefined) return { type: 'shape.unknown', handle, replyTo };
    const condemned = this.lives.condemn([handle], end);
    return { type: 'shape.condemned', handle, pids: consumersOf(condemned), replies: [replyTo], why: end.why };
  }

  /** By who has read or written its files, and may name it again. */
  private condemnDamaged(handle: Handle, why: string): Message | undefined {
    const condemned = this.lives.condemn([handle], { why, isTold: false, isDamaged: true });
    return condemned.length === 0 ? undefined : { type: 'shape.condemned', handle, pids: consumersOf(condemned), replies: [], why };
  }

  /** A Consumer ended: by its cause the shape is kept for a restart of ours, or it goes. */
  private down(pid: Pid, reason: ExitReason): Message | undefined {
    const shape = this.lives.servedBy(pid);
    const { handle, definition } = shape;
    const cause = downCause(reason);
    const unwatchedEnds = reason === 'noproc' ? shape.unwatchedEnds + 1 : 0;
    const mayHaveDrained = reason === 'noproc' ? unwatchedEnds <= UNWATCHED_MAX : cause.type === 'drain';
    if (mayHaveDrained && this.canGoOn(shape)) return this.goOn(handle, unwatchedEnds, hasSlept(reason));
    const { ends } = this.lives;
    ends.noteFailure(handle, reason);
    const end = shape.end ?? { why: cause.type === 'delete' ? cause.why : cause.type, isTold: false, isDamaged: isDamage(reason) };
    const ended = this.lives.end(handle, 'consumer.ended', end);
    const missed = ends.newlyMissed(definition, reason);
    const warning = missed === undefined ? { ...damageTold(definition, end), ...filterTold(definition, reason) } : { missed };
    return { ...goneMessage(handle, end), ...ended, ...warning };
  }

  /** What was stored is good and the shape is wanted: only a snapshot cannot be gone on with. */
  private canGoOn({ handle, life }: ShapeLife): boolean {
    return isServing(life) && this.ports.shapeLogs.get(handle)?.snapshot.state === 'complete';
  }

  /** We are still here, so the service is not stopping: the Consumer lost somebody whom it needed, or nothing touched its shape. */
  private goOn(handle: Handle, unwatchedEnds: number, slept: boolean): Message | undefined {
    this.lives.step(handle, slept ? 'consumer.slept' : 'consumer.drained', { consumer: undefined, unwatchedEnds });
    this.starts.add(handle);
    return this.startNext();
  }

  /** One that has gone since needs nothing. */
  private touched(handles: readonly Handle[]): Message | undefined {
    for (const handle of handles) if (this.lives.get(handle) !== undefined) this.rouse(handle);
    return this.startNext();
  }

  /** From here on nobody begins to depend on those that are named: one that others depend on tells them of what moves. */
  private letSleep(idle: IdleShapes): Message | undefined {
    const may = this.ofConsumers(idle, ({ handle, life }) => life === 'live' && !this.isNeeded(handle));
    for (const { handle } of may) this.lives.step(handle, 'shape.idle');
    return may.length === 0 ? undefined : { type: 'shapes.mayRest', ...idleShapes(may) };
  }

  private stayed(idle: IdleShapes): Message | undefined {
    for (const { handle } of this.ofConsumers(idle, ({ life }) => life === 'drowsy' || life === 'roused')) {
      this.lives.step(handle, 'shape.stayed');
      for (const outer of this.lives.outerOf(handle)) this.starts.add(outer);
    }
    return this.startNext();
  }

  /** A Consumer that has ended, or has not yet begun as far as we know, is none of these. */
  private ofConsumers({ handles, consumers }: IdleShapes, isMeant: (shape: ShapeLife) => boolean): readonly ShapeLife[] {
    return handles.flatMap((handle, index) => {
      const shape = this.lives.get(handle);
      return shape !== undefined && shape.consumer === consumers[index] && isMeant(shape) ? [shape] : [];
    });
  }

  private rouse(handle: Handle): void {
    this.lives.step(handle, 'shape.touched');
    this.starts.add(handle);
  }

  private restMore(): Message | undefined {
    this.tellRestored();
    return this.restoration.restMore() ?? this.restoreNext();
  }

  /**
   * One stored shape after the other, so that no message ever lists them all. A Consumer that ended while others were restored is
   * on its way once more: the log must not move before it is there. Whoever asks while one is on its way hears of the next with that.
   */
  private restoreNext(): Message | undefined {
    if (!this.restoration.isRested || this.restoration.isDone || this.lives.count('starting') > 0) return undefined;
    this.tellRestored();
    const next = this.startNext();
    if (next !== undefined || this.lives.count('starting') + this.lives.count('reserved') > 0) return next;
    this.restoration.isDone = true;
    return { type: 'shapes.restored', count: this.size };
  }

  private tellRestored(): void {
    const [restored, of] = [this.back, this.size];
    const told = this.toldRestored;
    const areAll = restored === of; // Also when the last are refused, or all: then what was told last was not the end.
    const isNews = restored !== told?.restored || (areAll && of !== told.of);
    const isWorthIt = areAll ? told !== undefined || of > 0 : stepsIn(restored) > stepsIn(told?.restored ?? -1);
    if (!isNews || !isWorthIt) return;
    this.toldRestored = { restored, of };
    this.ports.restoring?.(restored, of);
  }

  private purge(why: string, replyTo: ReplyTo): Message {
    this.purgers.push(replyTo);
    return condemnedMessage(this.condemnTold(this.lives.handles(), why), why);
  }

  private condemnShapes(handles: readonly Handle[], why: string): Message | undefined {
    const condemned = this.condemnTold(handles, why);
    return condemned.length === 0 ? undefined : condemnedMessage(condemned, why);
  }

  /** One line tells of them all. */
  private condemnTold(handles: Iterable<Handle>, why: string): readonly ShapeLife[] {
    return this.lives.condemn(handles, { why, isTold: true });
  }

  /** A shape is gone when its deletion stands in the log: only then does no restart of ours bring it back. */
  private countCondemned(): Message | undefined {
    if (this.purgers.length === 0 || this.lives.count('condemned') > 0) return undefined;
    const replies = this.purgers;
    this.purgers = [];
    return { type: 'shapes.purged', replies };
  }
}

function stepsIn(restored: number): number {
  return Math.floor(restored / RESTORED_STEP);
}

function idleShapes(shapes: readonly ShapeLife[]): IdleShapes {
  return { handles: shapes.map(({ handle }) => handle), consumers: shapes.flatMap(({ consumer }) => consumer ?? []) };
}
