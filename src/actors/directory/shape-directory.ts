/**
 * ShapeDirectory: which handle serves which definition, who waits for it, and what follows when it begins or ends. The
 * shape cache's table; requests read it directly, as an ETS table is read.
 *
 * It is an index over the lives of the handles (`handle-life.ts`), and leads each from event to event. A definition is
 * reserved in the same step that finds it missing, with the inner shapes that it names, so that it never has two handles.
 * Who is given up takes along, in the same step, all who depend on it. An inner shape that no client has asked for goes once
 * nobody depends on it any more.
 *
 * A step tells one thing. What else comes of it waits here, and is told one by one as `settle` asks for it: shapes whose
 * Consumer can be asked for, since those of all their inner shapes are live, shapes that went before they had one, and inner
 * shapes that lost their last dependant.
 */
import type { Clock } from '../../base/clock.ts';
import type { Fork, Forkable } from '../../base/fork.ts';
import { invariant } from '../../base/invariant.ts';
import { newHandle, type Handle, type ShapeDefinition } from '../../model/shape.ts';
import type { ExitReason, Message, Pid, ReplyTo, Table } from '../../otp/process.ts';
import { DependencyGraph } from '../../shapes/dependency-graph.ts';
import { Ring } from '../../otp/kernel/ring.ts';
import type { SnapshotState } from '../../storage/shapes/shape-logs.ts';
import type { InnerShape } from '../consumer/consumer-setup.ts';
import { downCause, isDamage } from '../down-cause.ts';
import { isServing, type LifeEvent } from './handle-life.ts';
import { RecentEnds } from './recent-ends.ts';
import { ShapeLives, whyItEnded, type LifeEnd, type LifeNews, type ShapeLife } from './shape-lives.ts';

export type DirectoryChange =
  | { readonly type: 'reserve'; readonly definition: ShapeDefinition; readonly replyTo: ReplyTo }
  | { readonly type: 'started'; readonly handle: Handle; readonly pid: Pid }
  /** `isDelayed`: its supervisor has not heard yet that the Consumer before has ended. */
  | { readonly type: 'refused'; readonly handle: Handle; readonly why: string; readonly isDelayed?: boolean }
  | { readonly type: 'condemn'; readonly handle: Handle; readonly why: string; readonly isDamaged?: boolean; readonly replyTo: ReplyTo }
  | { readonly type: 'confirm'; readonly handle: Handle; readonly replyTo: ReplyTo }
  | { readonly type: 'down'; readonly pid: Pid; readonly reason: ExitReason }
  | { readonly type: 'restoreNext' }
  | { readonly type: 'condemnShapes'; readonly handles: readonly Handle[]; readonly why: string }
  | { readonly type: 'purge'; readonly why: string; readonly replyTo: ReplyTo }
  /** What else has come of it all? */
  | 'settle';

/** What the directory looks at of a shape's log. */
export interface ListedLog {
  readonly handle: Handle;
  readonly definition: ShapeDefinition;
  readonly dependsOn: readonly Handle[];
  /** Made for others, and no client has asked for it. */
  readonly isInner: boolean;
  noteRequest(): void;
  readonly snapshot: Pick<SnapshotState, 'state'>;
}

/** The shapes' logs, as far as the directory makes, finds and deletes them: `ShapeLogs`. */
export interface ListedLogs {
  create(handle: Handle, definition: ShapeDefinition, dependsOn: readonly Handle[], isInner: boolean): ListedLog;
  get(handle: Handle): ListedLog | undefined;
  all(): Iterable<ListedLog>;
  delete(handle: Handle, why: string): void;
}

export interface DirectoryPorts extends Forkable<DirectoryPorts> {
  readonly shapeLogs: ListedLogs;
  readonly clock: Pick<Clock, 'epochMicros'>;
  /** Told whenever a handle stops serving its definition, while its log is still there. */
  readonly rotated: (handle: Handle) => void;
}

/** Stored shapes that one step enters: some two milliseconds of work, in which nobody else has a turn. */
export const ENTERED_MAX = 500;

/** Consumers of one shape, in a row, that ended before anybody watched them. */
const UNWATCHED_MAX = 8;

/** Why an inner shape goes that no client has asked for. */
const FORSAKEN = 'no shape depends on it any more';

/** Tables that are named when shapes are condemned together. */
const NAMED_MAX = 10;

export class ShapeDirectory implements Table<DirectoryChange> {
  private lives = new ShapeLives();
  private dependencies = new DependencyGraph();
  private ends = new RecentEnds();
  /** Who waits for a Consumer to start, by its shape. */
  private readonly waiting = new Map<Handle, ReplyTo[]>();
  /** Stored shapes that are still to be entered, the next one last. */
  private unentered: Handle[] | undefined;
  /** Entered ones without a whole snapshot, which cannot be brought back. */
  private halves: Handle[] = [];
  private isRestored = false;
  /** Those that became startable. Each is looked at again when its turn comes: it may be gone by then. */
  private startable = new Ring<Handle>();
  /** Those that went before they had a Consumer, or between two, and of which nobody has been told yet. */
  private unheard = new Ring<Message>();
  /**
   * How many Consumers in a row ended before we watched them, so that nobody knows why. It may have been a drain, and if not, the next
   * one meets what that one met: it is started again, so many times.
   */
  private readonly unwatched = new Map<Handle, number>();
  /** Those that lost a dependant and have none. Each is looked at again: one may have come, or a client have asked for it. */
  private forsaken: Handle[] = [];
  /** Who is told when no condemned shape is left. */
  private purgers: ReplyTo[] = [];

  constructor(
    private readonly ports: DirectoryPorts,
    private readonly enteredMax = ENTERED_MAX,
  ) {}

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
    return log.snapshot.state === 'complete' || this.isLive(log.handle) ? handle : undefined;
  }

  /** The definition behind a handle that can be served; also behind a stored one that is still to be entered. */
  definitionOf(handle: Handle): ShapeDefinition | undefined {
    const shape = this.lives.get(handle);
    if (shape === undefined && this.isEntering) return this.ports.shapeLogs.get(handle)?.definition;
    return shape !== undefined && isServing(shape.life) ? shape.definition : undefined;
  }

  /** What kept it, or one that it depended on, from its first row; undefined when nothing did, or when that was long ago. */
  failureOf(handle: Handle): unknown {
    return this.ends.failureOf(handle);
  }

  get size(): number {
    return this.lives.size;
  }

  apply(change: DirectoryChange): Message | undefined {
    if (change === 'settle') return this.settle();
    switch (change.type) {
      case 'reserve':
        return this.reserve(change.definition, change.replyTo);
      case 'started':
        return this.started(change.handle, change.pid);
      case 'refused':
        return change.isDelayed === true && this.isStarting(change.handle) ? this.askAgain(change.handle) : this.refused(change);
      case 'condemn':
        return this.condemnOnRequest(change.handle, { why: change.why, isTold: false, isDamaged: change.isDamaged }, change.replyTo);
      case 'confirm':
        return { type: this.definitionOf(change.handle) === undefined ? 'shape.isGone' : 'shape.isKept', replyTo: change.replyTo };
      case 'down':
        return this.down(change.pid, change.reason);
      case 'restoreNext':
        return this.restoreNext();
      case 'condemnShapes':
        return this.condemnShapes(change.handles, change.why);
      case 'purge':
        return this.purge(change.why, change.replyTo);
    }
  }

  clone(fork: Fork): ShapeDirectory {
    const copy = new ShapeDirectory(this.ports.clone(fork), this.enteredMax);
    copy.lives = this.lives.clone();
    copy.dependencies = this.dependencies.clone();
    copy.ends = this.ends.clone();
    for (const [handle, replies] of this.waiting) copy.waiting.set(handle, [...replies]);
    copy.forsaken = [...this.forsaken];
    copy.purgers = [...this.purgers];
    copy.unentered = this.unentered && [...this.unentered];
    copy.halves = [...this.halves];
    copy.isRestored = this.isRestored;
    for (const [handle, count] of this.unwatched) copy.unwatched.set(handle, count);
    for (const handle of this.startable) copy.startable.push(handle);
    for (const message of this.unheard) copy.unheard.push(message);
    return copy;
  }

  key(): string {
    const { lives, waiting, unentered = null, halves, isRestored, startable, unheard, forsaken, unwatched, purgers, ends } = this;
    const queues = [[...startable], [...unheard], forsaken];
    return JSON.stringify([lives.key(), [...waiting], unentered, halves, isRestored, queues, purgers, ends.key(), [...unwatched].sort()]);
  }

  private reserve(definition: ShapeDefinition, replyTo: ReplyTo): Message | undefined {
    const handle = this.findOrBegin(definition, false);
    this.ports.shapeLogs.get(handle)?.noteRequest();
    if (this.isLive(handle)) return { type: 'shape.found', handle, replyTo };
    this.wait(handle, replyTo);
    return this.startNext();
  }

  private wait(handle: Handle, replyTo: ReplyTo): void {
    const waiting = this.waiting.get(handle);
    if (waiting === undefined) this.waiting.set(handle, [replyTo]);
    else waiting.push(replyTo);
  }

  /** Inner shapes first, so that each record of the log names what is there. */
  private findOrBegin(definition: ShapeDefinition, isInner: boolean): Handle {
    const known = this.find(definition);
    if (known !== undefined) return known;
    const dependsOn = (definition.dependencies ?? []).map(({ shape }) => this.findOrBegin(shape, true));
    const handle = this.unusedHandle(definition);
    this.enter(this.ports.shapeLogs.create(handle, definition, dependsOn, isInner));
    return handle;
  }

  private unusedHandle(definition: ShapeDefinition): Handle {
    const epochMicros = this.ports.clock.epochMicros();
    for (let later = 0; ; later += 1) {
      const handle = newHandle(definition, epochMicros + later);
      if (this.lives.get(handle) === undefined && this.ports.shapeLogs.get(handle) === undefined) return handle;
    }
  }

  private enter({ handle, definition, dependsOn }: ListedLog): void {
    this.lives.reserve(handle, definition);
    this.dependencies.add(handle, dependsOn);
    this.awaitTurn(handle);
  }

  private awaitTurn(handle: Handle): void {
    if (this.isStartable(handle)) this.startable.push(handle);
  }

  private isStartable(handle: Handle): boolean {
    if (this.lives.get(handle)?.life !== 'reserved') return false;
    for (const inner of this.dependencies.innerOf(handle)) if (!this.isLive(inner)) return false;
    return true;
  }

  private isLive(handle: Handle): boolean {
    return this.lives.get(handle)?.life === 'live';
  }

  private settle(): Message | undefined {
    const told = this.unheard.shift() ?? this.countCondemned();
    if (told !== undefined || !this.isRestored) return told; // Stored ones come back one after the other.
    return this.condemnShapes(this.takeForsaken(), FORSAKEN) ?? this.startNext();
  }

  private startNext(): Message | undefined {
    let handle = this.startable.shift();
    while (handle !== undefined && !this.isStartable(handle)) handle = this.startable.shift();
    return handle === undefined ? undefined : this.request(handle);
  }

  private request(handle: Handle): Message {
    const { definition } = this.step(handle, 'consumer.requested');
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
    const shape = this.step(handle, 'consumer.started', { consumer: pid });
    const replies = this.answerable(handle);
    if (shape.life === 'condemned') return { type: 'shape.condemned', handle, pids: [pid], replies, why: whyItEnded(shape) };
    for (const outer of this.dependencies.outerOf(handle)) this.awaitTurn(outer);
    return { type: 'shape.started', handle, pid, replies };
  }

  private isStarting(handle: Handle): boolean {
    return this.lives.get(handle)?.life === 'starting';
  }

  /** The end of a process is told to each who watches it on a way of its own, so we may have heard of it first. */
  private askAgain(handle: Handle): Message | undefined {
    this.step(handle, 'consumer.delayed');
    this.awaitTurn(handle);
    return this.startNext();
  }

  private refused({ handle, why }: { readonly handle: Handle; readonly why: string }): Message {
    const replies = this.answerable(handle);
    const ended = this.end(handle, 'consumer.refused', { why, isTold: false });
    return { type: 'shape.refused', handle, why, replies, ...ended };
  }

  private answerable(handle: Handle): readonly ReplyTo[] {
    const replies = this.waiting.get(handle) ?? [];
    this.waiting.delete(handle);
    return replies;
  }

  private condemnOnRequest(handle: Handle, end: LifeEnd, replyTo: ReplyTo): Message {
    if (this.definitionOf(handle) === undefined) return { type: 'shape.unknown', handle, replyTo };
    const condemned = this.condemn([handle], end);
    return { type: 'shape.condemned', handle, pids: consumersOf(condemned), replies: [replyTo], why: end.why };
  }

  /** A Consumer ended: by its cause the shape is kept for a restart of ours, or it goes. */
  private down(pid: Pid, reason: ExitReason): Message | undefined {
    const shape = this.lives.servedBy(pid);
    const { handle, definition } = shape;
    const cause = downCause(reason);
    const mayGoOn = reason === 'noproc' ? (this.unwatched.get(handle) ?? 0) < UNWATCHED_MAX : cause.type === 'drain';
    this.noteWatched(handle, reason);
    if (mayGoOn && this.canGoOn(shape)) return this.startAgain(handle);
    this.ends.noteFailure(handle, reason);
    const end = shape.end ?? { why: cause.type === 'delete' ? cause.why : cause.type, isTold: false, isDamaged: isDamage(reason) };
    const ended = this.end(handle, 'consumer.ended', end);
    const missed = this.ends.newlyMissed(definition, reason);
    const warning = missed === undefined ? damageTold(definition, end) : { missed };
    return { ...goneMessage(handle, end), ...ended, ...warning };
  }

  private noteWatched(handle: Handle, reason: ExitReason): void {
    if (reason === 'noproc') this.unwatched.set(handle, (this.unwatched.get(handle) ?? 0) + 1);
    else this.unwatched.delete(handle);
  }

  /** What was stored is good and the shape is wanted: only a snapshot cannot be gone on with. */
  private canGoOn({ handle, life }: ShapeLife): boolean {
    return isServing(life) && this.ports.shapeLogs.get(handle)?.snapshot.state === 'complete';
  }

  /** We are still here, so the service is not stopping: the Consumer lost somebody whom it needed. */
  private startAgain(handle: Handle): Message | undefined {
    this.step(handle, 'consumer.drained', { consumer: undefined });
    this.awaitTurn(handle);
    return this.startNext();
  }

  /**
   * One stored shape after the other, so that no message ever lists them all; before that all are entered, some at a
   * time, since an inner one may come after those that depend on it. A Consumer that ended while others were restored is
   * on its way once more: the log must not move before it is there.
   */
  private restoreNext(): Message | undefined {
    if (this.unentered === undefined || this.isEntering) this.enterSome();
    if (this.isEntering) return { type: 'shapes.entered' };
    const next = this.startNext();
    if (next !== undefined || this.lives.count('starting') + this.lives.count('reserved') > 0) return next;
    this.isRestored = true;
    return { type: 'shapes.restored', count: this.size };
  }

  private get isEntering(): boolean {
    return this.unentered !== undefined && this.unentered.length > 0;
  }

  private enterSome(): void {
    this.unentered ??= Array.from(this.ports.shapeLogs.all(), ({ handle }) => handle).reverse();
    for (const handle of this.unentered.splice(-this.enteredMax).reverse()) this.enterStored(handle);
    if (!this.isEntering) this.condemnUnfit();
  }

  private enterStored(handle: Handle): void {
    const stored = this.ports.shapeLogs.get(handle);
    invariant(stored !== undefined, `nobody deletes a stored shape before it is entered: ${handle}`);
    this.enter(stored);
    if (stored.snapshot.state !== 'complete') this.halves.push(handle);
  }

  private condemnUnfit(): void {
    const superseded = [...this.lives.handles()].filter((handle) => !this.lives.isFound(handle));
    // Who wrote a snapshot ended with the processes before us, and half of one can only be begun anew.
    this.condemn(this.halves, { why: 'its snapshot was not complete', isTold: false });
    this.halves = [];
    // One was condemned, and another made in its place, when the service ended: that it was to go, nobody had written down yet.
    this.condemn(superseded, { why: 'another shape has taken its place', isTold: false });
    const order = new Set(this.dependencies.restoreOrder());
    const others = [...this.lives.handles()].filter((handle) => !order.has(handle));
    this.condemn(others, { why: 'a shape that it depends on is gone', isTold: false });
    this.forsaken = [...this.lives.handles()];
    while (this.forsaken.length > 0) this.condemn(this.takeForsaken(), { why: FORSAKEN, isTold: false }); // Layer by layer, inwards.
    this.unheard = new Ring(); // None of them had a Consumer, and nobody waits for one.
  }

  private purge(why: string, replyTo: ReplyTo): Message {
    this.purgers.push(replyTo);
    return this.condemnTogether(this.lives.handles(), why);
  }

  private condemnShapes(handles: readonly Handle[], why: string): Message | undefined {
    const told = this.condemnTogether(handles, why);
    return told.count === 0 ? undefined : told;
  }

  private condemnTogether(handles: Iterable<Handle>, why: string) {
    const condemned = this.condemn(handles, { why, isTold: true });
    const relations = new Set(condemned.map(({ definition: { relation } }) => `${relation.schema}.${relation.name}`));
    const named = [...relations].slice(0, NAMED_MAX);
    return { type: 'shapes.condemned', pids: consumersOf(condemned), why, count: condemned.length, relations: named };
  }

  private takeForsaken(): readonly Handle[] {
    const taken = this.forsakenOf(this.forsaken);
    this.forsaken = [];
    return taken;
  }

  private forsakenOf(handles: Iterable<Handle>): readonly Handle[] {
    return Array.from(handles).filter((handle) => this.dependencies.outerOf(handle).size === 0 && this.isForOthers(handle));
  }

  private isForOthers(handle: Handle): boolean {
    return this.definitionOf(handle) !== undefined && this.ports.shapeLogs.get(handle)?.isInner === true;
  }

  /** A shape is gone when its deletion stands in the log: only then does no restart of ours bring it back. */
  private countCondemned(): Message | undefined {
    if (this.purgers.length === 0 || this.lives.count('condemned') > 0) return undefined;
    const replies = this.purgers;
    this.purgers = [];
    return { type: 'shapes.purged', replies };
  }

  /** With all that depend on them. @returns whom it found serving: the others are condemned already, or gone. */
  private condemn(handles: Iterable<Handle>, end: LifeEnd): readonly ShapeLife[] {
    return Array.from(handles).flatMap((handle) => {
      const dependants = this.servingDependants(handle);
      return [...this.giveUp(handle, { ...end, ...countOf(dependants) }), ...this.giveUpWith(dependants, end.why)];
    });
  }

  private servingDependants(handle: Handle): readonly Handle[] {
    return this.dependencies.condemnedWith(handle).filter((outer) => this.definitionOf(outer) !== undefined);
  }

  /** One line tells of them, that of the shape on which they depend. */
  private giveUpWith(dependants: readonly Handle[], why: string): readonly ShapeLife[] {
    return dependants.flatMap((outer) => this.giveUp(outer, { why, isTold: true }));
  }

  /** @returns it, if it was serving. */
  private giveUp(handle: Handle, end: LifeEnd): readonly ShapeLife[] {
    const before = this.lives.get(handle);
    if (before === undefined) return [];
    const replies = before.life === 'reserved' ? this.answerable(handle) : [];
    const after = this.step(handle, 'shape.condemned', { end: before.end ?? end });
    if (after.life === 'gone') this.unheard.push({ ...goneMessage(handle, end), replies, hasFailed: this.failureOf(handle) !== undefined });
    return isServing(before.life) ? [after] : [];
  }

  /** @returns the Consumers of those that depended on it, which end too. */
  private end(handle: Handle, event: 'consumer.refused' | 'consumer.ended', end: LifeEnd) {
    const dependants = this.servingDependants(handle);
    this.step(handle, event, { consumer: undefined, end });
    return { pids: consumersOf(this.giveUpWith(dependants, end.why)), ...countOf(dependants) };
  }

  /** Readers hear that a handle serves no more before its log goes. */
  private step(handle: Handle, event: LifeEvent, news?: LifeNews): ShapeLife {
    const wasServing = this.definitionOf(handle) !== undefined;
    const shape = this.lives.step(handle, event, news);
    if (wasServing && !isServing(shape.life)) this.retire(handle);
    if (shape.life === 'gone') this.leave(shape);
    return shape;
  }

  private retire(handle: Handle): void {
    this.ends.noteInner(handle, this.ports.shapeLogs.get(handle)?.dependsOn ?? []);
    this.ports.rotated(handle);
  }

  private leave(shape: ShapeLife): void {
    invariant(!this.waiting.has(shape.handle), 'who waits for a shape is answered before it is gone');
    const inner = this.dependencies.innerOf(shape.handle);
    this.dependencies.remove(shape.handle);
    this.unwatched.delete(shape.handle);
    this.forsaken.push(...this.forsakenOf(inner));
    this.ports.shapeLogs.delete(shape.handle, whyItEnded(shape));
  }
}

/** @param end of a shape that has nobody left to stop, nor to answer. */
function goneMessage(handle: Handle, { why, isTold, dependantCount }: LifeEnd) {
  return { type: 'shape.gone', handle, why, isTold, pids: [], replies: [], ...(dependantCount === undefined ? {} : { dependantCount }) };
}

function countOf(dependants: readonly Handle[]): { dependantCount?: number } {
  return dependants.length === 0 ? {} : { dependantCount: dependants.length };
}

function damageTold({ relation: { schema, name } }: ShapeDefinition, { isDamaged }: LifeEnd): { damagedTable?: string } {
  return isDamaged === true ? { damagedTable: `${schema}.${name}` } : {};
}

function consumersOf(shapes: readonly ShapeLife[]): readonly Pid[] {
  return shapes.flatMap(({ consumer }) => consumer ?? []);
}
