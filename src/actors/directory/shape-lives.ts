/**
 * ShapeLives: the life of every handle, found by the handle, by the definition that it serves, and by its Consumer.
 *
 * A definition finds a handle only while that one serves it. A life that is gone stands here no more, nor does a
 * Consumer that has ended: whatever is told of them is a bug of ours.
 */
import { invariant } from '../../base/invariant.ts';
import type { Handle, ShapeDefinition } from '../../model/shape.ts';
import type { Pid } from '../../otp/process.ts';
import { isServing, nextLife, type Life, type LifeEvent } from './handle-life.ts';
import { ServingHandles } from './serving-handles.ts';

/** Never changed: an event makes another of it. */
export interface ShapeLife {
  readonly handle: Handle;
  readonly definition: ShapeDefinition;
  readonly life: Life;
  /** The last that was started for it and has not ended. */
  readonly consumer: Pid | undefined;
  /** How many in a row ended before we watched them, so that nobody knows why. */
  readonly unwatchedEnds: number;
  readonly end: LifeEnd | undefined;
}

export interface LifeEnd {
  readonly why: string;
  /** An operator was told of it together with that of others. */
  readonly isTold: boolean;
  /** What is stored of it is not what was written. */
  readonly isDamaged?: boolean | undefined;
  /** How many ended with it; left out where there are none. */
  readonly dependantCount?: number;
}

/** What an event tells besides: which Consumer it has from now on, or none, and what is known of the last one's end; why it ends. */
export type LifeNews = Partial<Pick<ShapeLife, 'consumer' | 'unwatchedEnds' | 'end'>>;

/** Of a life that is condemned or gone. */
export function whyItEnded({ handle, end }: ShapeLife): string {
  invariant(end !== undefined, `${handle} does not end without a reason`);
  return end.why;
}

export class ShapeLives {
  private readonly lives = new Map<Handle, ShapeLife>();
  private serving = new ServingHandles((handle) => this.lives.get(handle)?.definition);
  private readonly consumers = new Map<Pid, Handle>();
  /** How many lives are in each state: asked after each shape that starts or ends. */
  private readonly counts: Record<Life, number> = {
    reserved: 0, starting: 0, live: 0, drowsy: 0, roused: 0, dormant: 0, condemned: 0, gone: 0,
  };

  /** How many serve a definition. */
  get size(): number {
    return this.serving.size;
  }

  count(life: Life): number {
    return this.counts[life];
  }

  handles(): Iterable<Handle> {
    return this.lives.keys();
  }

  /** Undefined when it is gone, or never was. */
  get(handle: Handle): ShapeLife | undefined {
    return this.lives.get(handle);
  }

  find(definition: ShapeDefinition): Handle | undefined {
    return this.serving.find(definition);
  }

  /** @returns the handle that served this definition until now. */
  reserve(handle: Handle, definition: ShapeDefinition): Handle | undefined {
    this.lives.set(handle, { handle, definition, life: 'reserved', consumer: undefined, unwatchedEnds: 0, end: undefined });
    this.counts.reserved += 1;
    return this.serving.set(handle, definition);
  }

  /** @throws {InvariantError} the handle is not known, or its life does not expect the event. */
  step(handle: Handle, event: LifeEvent, news?: LifeNews): ShapeLife {
    const before = this.lives.get(handle);
    invariant(before !== undefined, `the directory knows ${handle}, of which it hears ${event}`);
    const { definition, consumer, unwatchedEnds, end } = news === undefined ? before : { ...before, ...news };
    const after = { handle, definition, life: nextLife(before.life, event, handle), consumer, unwatchedEnds, end };
    this.follow(before, after);
    return after;
  }

  /** @throws {InvariantError} when no handle has this Consumer. */
  servedBy(consumer: Pid): ShapeLife {
    const handle = this.consumers.get(consumer);
    const life = handle && this.lives.get(handle);
    invariant(life !== undefined, `a Consumer that ends was entered: ${consumer}`);
    return life;
  }

  clone(): ShapeLives {
    const copy = new ShapeLives();
    for (const [handle, life] of this.lives) copy.lives.set(handle, life);
    copy.serving = this.serving.clone((handle) => copy.lives.get(handle)?.definition);
    for (const [consumer, handle] of this.consumers) copy.consumers.set(consumer, handle);
    Object.assign(copy.counts, this.counts);
    return copy;
  }

  /** In their order: in that order they are condemned together. */
  key(): readonly unknown[] {
    return Array.from(this.lives.values(), ({ handle, life, consumer, unwatchedEnds, end }) => {
      return [handle, life, consumer ?? null, unwatchedEnds, end ?? null];
    });
  }

  private follow(before: ShapeLife, after: ShapeLife): void {
    const { handle, life, consumer } = after;
    this.counts[before.life] -= 1;
    this.counts[life] += 1;
    if (isServing(before.life) && !isServing(life)) this.serving.delete(handle, after.definition);
    if (life === 'gone') this.lives.delete(handle);
    else this.lives.set(handle, after);
    if (before.consumer !== undefined) this.consumers.delete(before.consumer);
    if (consumer !== undefined) this.consumers.set(consumer, handle);
  }
}
