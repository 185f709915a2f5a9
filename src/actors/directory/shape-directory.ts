/**
 * ShapeDirectory: which handle serves which definition, who waits for it, and what follows when it begins or ends. The
 * shape cache's table; requests read it directly, as an ETS table is read.
 *
 * It is an index over the lives of the handles (`handle-life.ts`), and leads each from event to event. A definition is
 * reserved in the same step that finds it missing, so that it never has two handles. Who is given up takes along, in the
 * same step, all who depend on it.
 */
import type { Clock } from '../../base/clock.ts';
import type { Fork, Forkable } from '../../base/fork.ts';
import { invariant } from '../../base/invariant.ts';
import { newHandle, type Handle, type ShapeDefinition } from '../../model/shape.ts';
import type { ExitReason, Message, Pid, ReplyTo, Table } from '../../otp/process.ts';
import { DependencyGraph } from '../../shapes/dependency-graph.ts';
import type { SnapshotState } from '../../storage/shapes/shape-logs.ts';
import { downCause, isDamage } from '../down-cause.ts';
import { isServing, type LifeEvent } from './handle-life.ts';
import { RecentEnds } from './recent-ends.ts';
import { ShapeLives, whyItEnded, type LifeEnd, type LifeNews, type ShapeLife } from './shape-lives.ts';

export type DirectoryChange =
  | { readonly type: 'reserve'; readonly definition: ShapeDefinition; readonly replyTo: ReplyTo }
  | { readonly type: 'started'; readonly handle: Handle; readonly pid: Pid }
  | { readonly type: 'refused'; readonly handle: Handle; readonly why: string }
  | { readonly type: 'condemn'; readonly handle: Handle; readonly why: string; readonly isDamaged?: boolean; readonly replyTo: ReplyTo }
  | { readonly type: 'confirm'; readonly handle: Handle; readonly replyTo: ReplyTo }
  | { readonly type: 'down'; readonly pid: Pid; readonly reason: ExitReason }
  | { readonly type: 'restoreNext' }
  | { readonly type: 'condemnShapes'; readonly handles: readonly Handle[]; readonly why: string }
  | { readonly type: 'purge'; readonly why: string; readonly replyTo: ReplyTo }
  /** Are those gone that had to go? */
  | 'countCondemned';

/** What the directory looks at of a shape's log. */
export interface ListedLog {
  readonly handle: Handle;
  readonly definition: ShapeDefinition;
  readonly snapshot: Pick<SnapshotState, 'state'>;
}

/** The shapes' logs, as far as the directory makes, finds and deletes them: `ShapeLogs`. */
export interface ListedLogs {
  create(handle: Handle, definition: ShapeDefinition): unknown;
  get(handle: Handle): ListedLog | undefined;
  all(): Iterable<ListedLog>;
  delete(handle: Handle, why: string): void;
}

export interface DirectoryPorts extends Forkable<DirectoryPorts> {
  readonly shapeLogs: ListedLogs;
  readonly clock: Pick<Clock, 'epochMicros'>;
  /** Told whenever a handle stops serving its definition, while its log is still there. */
  readonly rotated: (handle: Handle) => void;
  /** The shapes that a created or stored one takes values from. */
  readonly dependenciesOf: (handle: Handle) => readonly Handle[];
}

/** Stored shapes that one step enters: some two milliseconds of work, in which nobody else has a turn. */
export const ENTERED_MAX = 500;

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
  /** Those that can, the next one last. */
  private unrestored: Handle[] | undefined;
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

  /** The definition behind a handle that can be served; also behind a stored one that is still to be entered. */
  definitionOf(handle: Handle): ShapeDefinition | undefined {
    const shape = this.lives.get(handle);
    if (shape === undefined && this.isEntering) return this.ports.shapeLogs.get(handle)?.definition;
    return shape !== undefined && isServing(shape.life) ? shape.definition : undefined;
  }

  /** What kept a shape from its first row; undefined when nothing did, or when that was long ago. */
  failureOf(handle: Handle): unknown {
    return this.ends.failureOf(handle);
  }

  get size(): number {
    return this.lives.size;
  }

  apply(change: DirectoryChange): Message | undefined {
    if (change === 'countCondemned') return this.countCondemned();
    switch (change.type) {
      case 'reserve':
        return this.reserve(change.definition, change.replyTo);
      case 'started':
        return this.started(change.handle, change.pid);
      case 'refused':
        return this.refused(change.handle, change.why);
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
    copy.purgers = [...this.purgers];
    copy.unentered = this.unentered && [...this.unentered];
    copy.halves = [...this.halves];
    copy.unrestored = this.unrestored && [...this.unrestored];
    return copy;
  }

  key(): string {
    const { lives, waiting, unentered = null, halves, unrestored = null, purgers, ends } = this;
    return JSON.stringify([lives.key(), [...waiting], unentered, halves, unrestored, purgers, ends.key()]);
  }

  private reserve(definition: ShapeDefinition, replyTo: ReplyTo): Message | undefined {
    const known = this.find(definition);
    if (known === undefined) return this.begin(definition, replyTo);
    if (this.lives.get(known)?.life === 'live') return { type: 'shape.found', handle: known, replyTo };
    this.wait(known, replyTo);
    return undefined;
  }

  private wait(handle: Handle, replyTo: ReplyTo): void {
    const waiting = this.waiting.get(handle);
    if (waiting === undefined) this.waiting.set(handle, [replyTo]);
    else waiting.push(replyTo);
  }

  private begin(definition: ShapeDefinition, replyTo: ReplyTo): Message {
    const handle = this.unusedHandle(definition);
    this.ports.shapeLogs.create(handle, definition);
    this.enter(handle, definition);
    this.wait(handle, replyTo);
    return this.request(handle, 'create');
  }

  private unusedHandle(definition: ShapeDefinition): Handle {
    const epochMicros = this.ports.clock.epochMicros();
    for (let later = 0; ; later += 1) {
      const handle = newHandle(definition, epochMicros + later);
      if (this.lives.get(handle) === undefined && this.ports.shapeLogs.get(handle) === undefined) return handle;
    }
  }

  private enter(handle: Handle, definition: ShapeDefinition): void {
    this.lives.reserve(handle, definition);
    this.dependencies.add(handle, this.ports.dependenciesOf(handle));
  }

  private request(handle: Handle, mode: 'create' | 'restore'): Message {
    const { definition } = this.step(handle, 'consumer.requested');
    return { type: 'shape.reserved', handle, mode, relation: definition.relation };
  }

  private started(handle: Handle, pid: Pid): Message {
    const shape = this.step(handle, 'consumer.started', { consumer: pid });
    const replies = this.answerable(handle);
    if (shape.life === 'condemned') return { type: 'shape.condemned', handle, pids: [pid], replies, why: whyItEnded(shape) };
    return { type: 'shape.started', handle, pid, replies };
  }

  private refused(handle: Handle, why: string): Message {
    const replies = this.answerable(handle);
    const pids = this.end(handle, 'consumer.refused', { why, isTold: false });
    return { type: 'shape.refused', handle, why, replies, pids };
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
  private down(pid: Pid, reason: ExitReason): Message {
    const shape = this.lives.servedBy(pid);
    const { handle, definition } = shape;
    const cause = downCause(reason);
    if (cause.type === 'drain' && this.canGoOn(shape)) return this.startAgain(shape);
    this.ends.noteFailure(handle, reason);
    const end = shape.end ?? { why: cause.type === 'delete' ? cause.why : cause.type, isTold: false, isDamaged: isDamage(reason) };
    const pids = this.end(handle, 'consumer.ended', end);
    const missed = this.ends.newlyMissed(definition, reason);
    const warning = missed === undefined ? damageTold(definition, end) : { missed };
    return { type: 'shape.gone', handle, why: end.why, isTold: end.isTold, pids, ...warning };
  }

  /** What was stored is good and the shape is wanted: only a snapshot cannot be gone on with. */
  private canGoOn({ handle, life }: ShapeLife): boolean {
    return isServing(life) && this.ports.shapeLogs.get(handle)?.snapshot.state === 'complete';
  }

  /** We are still here, so the service is not stopping: the Consumer lost somebody whom it needed. */
  private startAgain({ handle, definition: { relation } }: ShapeLife): Message {
    this.step(handle, 'consumer.drained', { consumer: undefined });
    return { type: 'shape.reserved', handle, mode: 'restore', relation };
  }

  /**
   * One stored shape after the other, so that no message ever lists them all; before that all are entered, some at a
   * time, since an inner one may come after those that depend on it. A Consumer that ended while others were restored is
   * on its way once more: the log must not move before it is there.
   */
  private restoreNext(): Message | undefined {
    this.unrestored ??= this.enterSome();
    if (this.unrestored === undefined) return { type: 'shapes.entered' };
    for (let handle = this.unrestored.pop(); handle !== undefined; handle = this.unrestored.pop()) {
      if (this.lives.get(handle)?.life === 'reserved') return this.request(handle, 'restore');
    }
    return this.lives.count('starting') > 0 ? undefined : { type: 'shapes.restored', count: this.size };
  }

  private get isEntering(): boolean {
    return this.unentered !== undefined && this.unentered.length > 0;
  }

  /** @returns undefined while others are still to be entered, then those that can be brought back. */
  private enterSome(): Handle[] | undefined {
    this.unentered ??= Array.from(this.ports.shapeLogs.all(), ({ handle }) => handle).reverse();
    for (const handle of this.unentered.splice(-this.enteredMax).reverse()) this.enterStored(handle);
    return this.isEntering ? undefined : this.condemnUnfit();
  }

  private enterStored(handle: Handle): void {
    const stored = this.ports.shapeLogs.get(handle);
    invariant(stored !== undefined, `nobody deletes a stored shape before it is entered: ${handle}`);
    this.enter(handle, stored.definition);
    if (stored.snapshot.state !== 'complete') this.halves.push(handle);
  }

  /** @returns those that can be brought back, inner ones last. */
  private condemnUnfit(): Handle[] {
    // Who wrote a snapshot ended with the processes before us, and half of one can only be begun anew.
    this.condemn(this.halves, { why: 'its snapshot was not complete', isTold: false });
    this.halves = [];
    const order = new Set(this.dependencies.restoreOrder());
    const others = [...this.lives.handles()].filter((handle) => !order.has(handle));
    this.condemn(others, { why: 'a shape that it depends on is gone', isTold: false });
    return [...order].reverse();
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

  /** A shape is gone when its deletion stands in the log: only then does no restart of ours bring it back. */
  private countCondemned(): Message | undefined {
    if (this.purgers.length === 0 || this.lives.count('condemned') > 0) return undefined;
    const replies = this.purgers;
    this.purgers = [];
    return { type: 'shapes.purged', replies };
  }

  /** With all that depend on them. @returns whom it found serving: the others are condemned already, or gone. */
  private condemn(handles: Iterable<Handle>, end: LifeEnd): readonly ShapeLife[] {
    const condemned: ShapeLife[] = [];
    for (const handle of handles) {
      for (const each of [handle, ...this.dependencies.condemnedWith(handle)]) {
        const before = this.lives.get(each);
        if (before === undefined) continue;
        const after = this.step(each, 'shape.condemned', { end: before.end ?? end });
        if (isServing(before.life)) condemned.push(after);
      }
    }
    return condemned;
  }

  /** @returns the Consumers of those that depended on it, which end too. */
  private end(handle: Handle, event: 'consumer.refused' | 'consumer.ended', end: LifeEnd): readonly Pid[] {
    const dependants = this.dependencies.condemnedWith(handle);
    this.step(handle, event, { consumer: undefined, end });
    return consumersOf(this.condemn(dependants, { why: end.why, isTold: false }));
  }

  /** Readers hear that a handle serves no more before its log goes. */
  private step(handle: Handle, event: LifeEvent, news?: LifeNews): ShapeLife {
    const wasServing = this.definitionOf(handle) !== undefined;
    const shape = this.lives.step(handle, event, news);
    if (wasServing && !isServing(shape.life)) this.ports.rotated(handle);
    if (shape.life === 'gone') this.leave(shape);
    return shape;
  }

  private leave(shape: ShapeLife): void {
    invariant(!this.waiting.has(shape.handle), 'who waits for a shape is answered before it is gone');
    this.dependencies.remove(shape.handle);
    this.ports.shapeLogs.delete(shape.handle, whyItEnded(shape));
  }
}

function damageTold({ relation: { schema, name } }: ShapeDefinition, { isDamaged }: LifeEnd): { damagedTable?: string } {
  return isDamaged === true ? { damagedTable: `${schema}.${name}` } : {};
}

function consumersOf(shapes: readonly ShapeLife[]): readonly Pid[] {
  return shapes.flatMap(({ consumer }) => consumer ?? []);
}
