/**
 * DependentLives: the lives of all handles, each led together with those of the shapes that depend on it.
 *
 * Who is given up takes along, in the same step, all who depend on it, each once; and readers hear that a handle serves no more
 * while its log is still there. An inner shape that no client has asked for is forsaken when the last of its dependants is gone.
 */
import { invariant } from '../../base/invariant.ts';
import { Ring } from '../../base/ring.ts';
import type { Handle, ShapeDefinition } from '../../model/shape.ts';
import type { Message, Pid } from '../../otp/process.ts';
import { DependencyGraph } from '../../shapes/dependency-graph.ts';
import type { DirectoryPorts, ListedLog } from './directory-ports.ts';
import { consumersOf, countOf, damageTold, goneMessage } from './ended-shapes.ts';
import { isReady, isServing, type Life, type LifeEvent } from './handle-life.ts';
import { RecentEnds } from './recent-ends.ts';
import { ShapeLives, whyItEnded, type LifeEnd, type LifeNews, type ShapeLife } from './shape-lives.ts';
import { WaitingRequests } from './waiting-requests.ts';

export class DependentLives {
  readonly ends: RecentEnds;
  readonly waiting: WaitingRequests;
  private readonly lives: ShapeLives;
  private readonly dependencies: DependencyGraph;
  /** Those that went before they had a Consumer, or between two, and of which nobody has been told yet. */
  private unheard = new Ring<Message>();
  /** Those that lost a dependant and have none. Each is looked at again: one may have come, or a client have asked for it. */
  private forsaken: Handle[];

  constructor(
    private readonly ports: Pick<DirectoryPorts, 'shapeLogs' | 'rotated'>,
    original?: DependentLives,
  ) {
    this.ends = original?.ends.clone() ?? new RecentEnds();
    this.waiting = original?.waiting.clone() ?? new WaitingRequests();
    this.lives = original?.lives.clone() ?? new ShapeLives();
    this.dependencies = original?.dependencies.clone() ?? new DependencyGraph();
    for (const message of original?.unheard ?? []) this.unheard.push(message);
    this.forsaken = [...(original?.forsaken ?? [])];
  }

  /** How many serve a definition. */
  get size(): number {
    return this.lives.size;
  }

  count(life: Life): number {
    return this.lives.count(life);
  }

  handles(): Iterable<Handle> {
    return this.lives.handles();
  }

  find(definition: ShapeDefinition): Handle | undefined {
    return this.lives.find(definition);
  }

  get(handle: Handle): ShapeLife | undefined {
    return this.lives.get(handle);
  }

  servedBy(consumer: Pid): ShapeLife {
    return this.lives.servedBy(consumer);
  }

  isServing(handle: Handle): boolean {
    const shape = this.lives.get(handle);
    return shape !== undefined && isServing(shape.life);
  }

  /** Whoever asks for it is led to it at once. */
  isReady(handle: Handle): boolean {
    const shape = this.lives.get(handle);
    return shape !== undefined && isReady(shape.life);
  }

  /** Its Consumer can be asked for: it has none, needs one, and those of all its inner shapes are live. */
  isStartable(handle: Handle): boolean {
    if (this.lives.get(handle)?.life !== 'reserved') return false;
    for (const inner of this.dependencies.innerOf(handle)) if (this.lives.get(inner)?.life !== 'live') return false;
    return true;
  }

  /** Who depends on it, directly. */
  outerOf(handle: Handle): ReadonlySet<Handle> {
    return this.dependencies.outerOf(handle);
  }

  /** Those that depend, directly or through others, on a shape that is not here. */
  get bereft(): readonly Handle[] {
    if (this.dependencies.isFlat) return [];
    const order = new Set(this.dependencies.restoreOrder());
    return [...this.lives.handles()].filter((handle) => !order.has(handle));
  }

  /** @returns the handle that served its definition until now. */
  enter({ handle, definition, dependsOn }: ListedLog): Handle | undefined {
    this.dependencies.add(handle, dependsOn);
    return this.lives.reserve(handle, definition);
  }

  /** Readers hear that a handle serves no more before its log goes. */
  step(handle: Handle, event: LifeEvent, news?: LifeNews): ShapeLife {
    const wasServing = this.isServing(handle);
    const shape = this.lives.step(handle, event, news);
    if (wasServing && !isServing(shape.life)) this.retire(handle);
    if (shape.life === 'gone') this.leave(shape);
    return shape;
  }

  /** With all that depend on them. @returns whom it found serving: the others are condemned already, or gone. */
  condemn(handles: Iterable<Handle>, end: LifeEnd): readonly ShapeLife[] {
    return Array.from(handles).flatMap((handle) => {
      const dependants = this.servingDependants(handle);
      return [...this.giveUp(handle, { ...end, ...countOf(dependants) }), ...this.giveUpWith(dependants, end.why)];
    });
  }

  /** @returns the Consumers of those that depended on it, which end too. */
  end(handle: Handle, event: 'consumer.refused' | 'consumer.ended', end: LifeEnd) {
    const dependants = this.servingDependants(handle);
    this.step(handle, event, { consumer: undefined, end });
    return { pids: consumersOf(this.giveUpWith(dependants, end.why)), ...countOf(dependants) };
  }

  /** Those that went without a Consumer, one by one. */
  takeUnheard(): Message | undefined {
    return this.unheard.shift();
  }

  forgetUnheard(): void {
    this.unheard = new Ring();
  }

  /** Inner shapes that nobody needs any more, each once. */
  takeForsaken(): readonly Handle[] {
    const taken = this.forsakenOf(this.forsaken);
    this.forsaken = [];
    return taken;
  }

  /** Likewise of all that there are. */
  lookForForsaken(): void {
    this.forsaken = [...this.forsakenOf(this.lives.handles())];
  }

  key(): readonly unknown[] {
    const { lives, waiting, unheard, forsaken, ends } = this;
    return [lives.key(), waiting.key(), [...unheard], forsaken, ends.key()];
  }

  private servingDependants(handle: Handle): readonly Handle[] {
    return this.dependencies.condemnedWith(handle).filter((outer) => this.isServing(outer));
  }

  /** One line tells of them, that of the shape on which they depend. */
  private giveUpWith(dependants: readonly Handle[], why: string): readonly ShapeLife[] {
    return dependants.flatMap((outer) => this.giveUp(outer, { why, isTold: true }));
  }

  /** @returns it, if it was serving. */
  private giveUp(handle: Handle, end: LifeEnd): readonly ShapeLife[] {
    const before = this.lives.get(handle);
    if (before === undefined) return [];
    const replies = before.life === 'reserved' ? this.waiting.take(handle) : [];
    const after = this.step(handle, 'shape.condemned', { end: before.end ?? end });
    const hasFailed = this.ends.failureOf(handle) !== undefined;
    if (after.life === 'gone') this.unheard.push({ ...goneMessage(handle, end), ...damageTold(after.definition, end), replies, hasFailed });
    return isServing(before.life) ? [after] : [];
  }

  private forsakenOf(handles: Iterable<Handle>): readonly Handle[] {
    return Array.from(handles).filter((handle) => this.dependencies.outerOf(handle).size === 0 && this.isForOthers(handle));
  }

  private isForOthers(handle: Handle): boolean {
    return this.isServing(handle) && this.ports.shapeLogs.get(handle)?.isInner === true;
  }

  private retire(handle: Handle): void {
    this.ends.noteInner(handle, this.ports.shapeLogs.get(handle)?.dependsOn ?? []);
    this.ports.rotated(handle);
  }

  private leave(shape: ShapeLife): void {
    invariant(!this.waiting.has(shape.handle), 'who waits for a shape is answered before it is gone');
    const inner = this.dependencies.innerOf(shape.handle);
    this.dependencies.remove(shape.handle);
    this.forsaken.push(...this.forsakenOf(inner));
    this.ports.shapeLogs.delete(shape.handle, whyItEnded(shape));
  }
}
