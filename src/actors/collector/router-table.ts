/**
 * RouterTable: which Consumers a block of the log goes to, and in which order. The table of each collector.
 *
 * It owns the delivery that is under way: it opens one when a block is routed and closes it when the last layer has
 * answered, or when the collector ends. A row is held once, in the block, however many shapes it touches.
 *
 * A shape that nothing touches has no Consumer. It is routed to all the same, and nothing is brought to it: it is named, once, and then
 * nobody's, like one that did not take what it was brought. So whoever names it must tell somebody that it is to have a Consumer.
 */
import type { Fork, Forkable } from '../../base/fork.ts';
import { invariant } from '../../base/invariant.ts';
import { LOG_START, minPosition, type LogPosition, type LogRange } from '../../model/log-position.ts';
import type { Handle } from '../../model/shape.ts';
import type { LogBlock } from '../../model/transaction.ts';
import type { Address, Message, Name, Pid, RecipientsTable } from '../../otp/process.ts';
import type { Deliveries, Delivery } from '../../shapes/delivery.ts';
import type { BlockRouter, Layer } from '../../shapes/router.ts';
import { consumerOf } from '../shape-processes.ts';
import type { IdleShapes } from './idle-shapes.ts';

export type RouterChange =
  /** Its Consumer is there: from now on it is brought what comes. Who it is need not be said where nobody is to sleep. */
  | { readonly add: Handle; readonly consumer?: Pid }
  /** Stored shapes that have no Consumer. */
  | { readonly rested: readonly Handle[] }
  /** Which of those that something is brought to have taken nothing since the last change of this kind? Now the collector stands here. */
  | { readonly idleAt: LogPosition }
  /** Those of them that are idle still have no Consumer from now on, and theirs are to be told. No block may be on its way. */
  | { readonly rest: IdleShapes }
  /** Its Consumer is there, and nothing is brought to it before `admit`. */
  | { readonly wait: Handle }
  /** Something is brought to all who wait, from now on. Where does the one stand who is furthest back of all? */
  | 'admit'
  | { readonly remove: Handle }
  /** Nothing is brought to these any more, until they are added again. */
  | { readonly leaveBehind: readonly Handle[] }
  /** Begins to route the block that was loaded; on with `routeOn`, as often as `block.partlyRouted` asks for it. */
  | { readonly route: LogRange }
  | 'routeOn'
  | 'nextLayer'
  /** Whom changes of these layouts may concern: the recipients until the next change. */
  | { readonly concerned: readonly number[] }
  /** Where does the one stand who is furthest back, from here on? Whoever is gone is forgotten. */
  | { readonly standing: LogPosition }
  /** Those who stand here or before are the recipients, until the next block. */
  | { readonly upTo: LogPosition }
  /** All shapes are the recipients, until the next block. */
  | 'everyone'
  /** Nothing is brought to the recipients any more. */
  | 'removeAddressed'
  /** Recipients that ended before they had answered, or were silent for too long: tells which shapes they served. */
  | { readonly unanswered: readonly Address[] };

/** Routes among the shapes that it was told of. It belongs to the table alone. */
export interface ShapeRouting extends BlockRouter, Forkable<ShapeRouting> {
  add(handle: Handle): void;
  remove(handle: Handle): void;
  /** The shapes that changes of these layouts may concern, whatever is in them. */
  shapesOn(layoutIds: Iterable<number>): ReadonlySet<Handle>;
  /** Where the shape stands in the log: before that it needs nothing, from there on the log is kept for it. Undefined when it is gone. */
  positionOf(handle: Handle): LogPosition | undefined;
  /** Up to where a shape has taken something that needs no Consumer before the next; undefined for any other. */
  restsAt(handle: Handle): LogPosition | undefined;
}

export type RouterTold =
  /** They are routed to no more before their Consumers are there: each is to get one. The block goes on with `nextLayer`. */
  | { readonly type: 'block.touches'; readonly handles: readonly Handle[] }
  /** Likewise of what is no block. */
  | { readonly type: 'dormant.touched'; readonly handles: readonly Handle[] }
  /** `areMore` where there may be others, that were not looked at. */
  | (Message & IdleShapes & { readonly type: 'shapes.idle'; readonly areMore: boolean })
  /** Nothing is brought to these Consumers any more; to the others it is. */
  | { readonly type: 'shapes.areAtRest'; readonly asleep: readonly Pid[]; readonly stayed: IdleShapes };

/** Where the log reader has put the block that the collector asked for. */
export interface LoadedBlock extends Forkable<LoadedBlock> {
  take(range: LogRange): LogBlock;
  close(): void;
}

const NOBODY: readonly Handle[] = [];
const NO_CHANGES = { changes: new Uint32Array() };

/** What a shape makes of a part is in memory until it has spilled it: no more shapes than these do so at the same time. */
const WAVE_SHAPES_MAX = 64;

/** Shapes that are proposed together: each of them is a Consumer that ends. */
export const IDLE_MAX = 500;

export class RouterTable implements RecipientsTable<RouterChange> {
  /** Each with its Consumer, in the order in which they are routed to; undefined where it was not said, null where there is none. */
  private readonly routed = new Map<Handle, Pid | undefined | null>();
  private dormantCount = 0;
  /** Who has taken nothing behind here may rest: where the collector stood when all were looked at before. */
  private idleSince = LOG_START;
  /** The block that is being routed, and how many steps that has taken so far. */
  private block: LogBlock | undefined;
  private steps = 0;
  private delivery: Delivery | undefined;
  /** Which layer is being delivered; -1 before the first. */
  private layer = -1;
  /** Who is told something that is no delivery, while they are told. */
  private group: ReadonlySet<Handle> | undefined;
  /** Who has taken a part of the transaction that is under way, in parts: they must hear of its end, whatever is in the last one. */
  private readonly unfinished = new Set<Handle>();
  private readonly waiting = new Set<Handle>();

  constructor(
    private readonly routing: ShapeRouting,
    private readonly loaded: LoadedBlock,
    private readonly deliveries: Deliveries,
  ) {}

  *recipients(): Iterable<Name> {
    for (const handle of this.addressed()) yield consumerOf(handle);
  }

  apply(change: RouterChange): Message | undefined {
    if (change === 'routeOn') return this.routeOn();
    if (change === 'nextLayer') return this.nextLayer();
    if (change === 'everyone') return this.address(new Set(this.awake()));
    if (change === 'admit') return this.admit();
    if (change === 'removeAddressed') return this.leaveBehind([...this.addressed()]);
    if ('add' in change) return this.add(change.add, change.consumer);
    if ('wait' in change) return void this.waiting.add(change.wait);
    if ('rested' in change) return this.enterDormant(change.rested);
    if ('idleAt' in change) return this.lookForIdle(change.idleAt);
    if ('rest' in change) return this.rest(change.rest);
    if ('remove' in change) return this.forget(change.remove);
    if ('leaveBehind' in change) return this.leaveBehind(change.leaveBehind);
    if ('unanswered' in change) return this.shapesOf(new Set(change.unanswered));
    if ('standing' in change) return this.standing(change.standing);
    if ('upTo' in change) return this.address(this.standingUpTo(change.upTo));
    if ('concerned' in change) return this.addressConcerned(this.routing.shapesOn(change.concerned));
    return this.route(change.route);
  }

  clone(fork: Fork): RouterTable {
    const copy = new RouterTable(this.routing.clone(fork), this.loaded.clone(fork), this.deliveries.clone(fork));
    for (const [handle, consumer] of this.routed) copy.routed.set(handle, consumer);
    copy.dormantCount = this.dormantCount;
    copy.idleSince = this.idleSince;
    for (const handle of this.unfinished) copy.unfinished.add(handle);
    for (const handle of this.waiting) copy.waiting.add(handle);
    copy.block = this.block;
    copy.steps = this.steps;
    copy.delivery = this.delivery;
    copy.layer = this.layer;
    copy.group = this.group;
    return copy;
  }

  key(): string {
    const { block, delivery, layer, steps, group, idleSince } = this;
    const routed = block && [block.after, block.through, steps];
    const told = [routed ?? null, delivery?.id ?? null, layer, [...this.addressed()], group === undefined];
    return JSON.stringify([[...this.routed].map(named), told, [...this.unfinished], [...this.waiting], idleSince]);
  }

  close(): void {
    this.end();
    this.loaded.close();
  }

  /** A Consumer may have asked and died, and its shape be gone, before its request came: nobody would take that out again. */
  private add(handle: Handle, consumer: Pid | undefined): undefined {
    if (this.routing.positionOf(handle) === undefined) return;
    const isRouted = this.routed.has(handle);
    if (this.isDormant(handle)) this.dormantCount -= 1;
    this.routed.set(handle, consumer);
    if (!isRouted) this.routing.add(handle);
  }

  private admit(): Message {
    for (const handle of this.waiting) this.add(handle, undefined);
    this.waiting.clear();
    return this.standing(LOG_START);
  }

  /** Each may have gone since that was sent, as above, or have got a Consumer. */
  private enterDormant(handles: readonly Handle[]): undefined {
    for (const handle of handles) {
      if (this.routed.has(handle) || this.routing.positionOf(handle) === undefined) continue;
      this.letRest(handle);
      this.routing.add(handle);
    }
  }

  private lookForIdle(at: LogPosition): RouterTold {
    const [handles, consumers]: [Handle[], Pid[]] = [[], []];
    let areMore = false;
    for (const [handle, consumer] of this.routed) {
      if (consumer === undefined || consumer === null || !this.isIdle(handle)) continue;
      areMore = handles.length === IDLE_MAX;
      if (areMore) break;
      handles.push(handle);
      consumers.push(consumer);
    }
    if (!areMore) this.idleSince = at;
    return { type: 'shapes.idle', handles, consumers, areMore };
  }

  private rest({ handles, consumers }: IdleShapes): RouterTold {
    invariant(this.block === undefined && this.delivery === undefined, 'a shape is laid to rest while no block is on its way');
    const asleep: Pid[] = [];
    const stayed: { readonly handles: Handle[]; readonly consumers: Pid[] } = { handles: [], consumers: [] };
    for (const [index, consumer] of consumers.entries()) {
      const handle = handles[index];
      if (handle === undefined) continue;
      if (this.routed.get(handle) === consumer && this.isIdle(handle)) {
        this.letRest(handle);
        asleep.push(consumer);
      } else {
        stayed.handles.push(handle);
        stayed.consumers.push(consumer);
      }
    }
    return { type: 'shapes.areAtRest', asleep, stayed };
  }

  private letRest(handle: Handle): void {
    this.routed.set(handle, null);
    this.dormantCount += 1;
  }

  private isDormant(handle: Handle): boolean {
    return this.routed.get(handle) === null;
  }

  private *awake(): Iterable<Handle> {
    for (const [handle, consumer] of this.routed) if (consumer !== null) yield handle;
  }

  private isIdle(handle: Handle): boolean {
    const at = this.routing.restsAt(handle);
    return at !== undefined && at <= this.idleSince;
  }

  private forget(handle: Handle): undefined {
    this.waiting.delete(handle);
    this.remove(handle);
  }

  /** Who is let go may wait already to come back, and who did not answer may have a successor that waits. */
  private remove(handle: Handle): undefined {
    this.unfinished.delete(handle);
    if (this.isDormant(handle)) this.dormantCount -= 1;
    if (this.routed.delete(handle)) this.routing.remove(handle);
  }

  /** One that has fallen asleep since will not come back by itself. */
  private leaveBehind(handles: readonly Handle[]): RouterTold | undefined {
    const touched = this.takeDormant(handles);
    for (const handle of handles) this.remove(handle);
    return touched.length === 0 ? undefined : { type: 'dormant.touched', handles: touched };
  }

  private takeDormant(handles: Iterable<Handle>): readonly Handle[] {
    if (this.dormantCount === 0) return NOBODY;
    const touched = Array.from(handles).filter((handle) => this.isDormant(handle));
    for (const handle of touched) this.remove(handle);
    return touched;
  }

  /** Before the lowest place of a shape the log may be gone: nobody keeps it for a collector. */
  private standing(from: LogPosition): Message {
    let lowest: LogPosition | undefined;
    for (const handle of [...this.awake()]) {
      const at = this.routing.positionOf(handle);
      if (at === undefined) this.remove(handle);
      else lowest = lowest === undefined ? at : minPosition(lowest, at);
    }
    if (lowest === undefined) return { type: 'followers.none' };
    return { type: 'followers.stand', at: lowest > from ? lowest : from };
  }

  private standingUpTo(limit: LogPosition): ReadonlySet<Handle> {
    return new Set([...this.awake()].filter((handle) => (this.routing.positionOf(handle) ?? limit) <= limit));
  }

  private addressConcerned(concerned: ReadonlySet<Handle>): RouterTold | undefined {
    const touched = this.takeDormant(concerned);
    if (touched.length === 0) return this.address(concerned);
    this.address(without(concerned, new Set(touched)));
    return { type: 'dormant.touched', handles: touched };
  }

  private address(group: ReadonlySet<Handle>): undefined {
    this.group = group;
  }

  private route(range: LogRange): Message {
    this.group = undefined;
    this.block = this.loaded.take(range);
    this.routing.begin(this.block);
    this.steps = 0;
    return this.routeOn();
  }

  private routeOn(): Message {
    const { block } = this;
    invariant(block !== undefined, 'a block is being routed');
    this.steps += 1;
    const layers = this.routing.step();
    if (layers === undefined) return { type: 'block.partlyRouted' };
    this.block = undefined;
    const touched = this.takeDormant(handlesOf(layers));
    this.delivery = this.deliveries.begin(block, this.withUnfinished(block, touched.length === 0 ? layers : awakeOf(layers, touched)));
    return touched.length === 0 ? this.nextLayer() : { type: 'block.touches', handles: touched };
  }

  private withUnfinished({ transactions }: LogBlock, layers: readonly Layer[]): readonly Layer[] {
    const isPart = transactions.at(-1)?.isUnfinished === true;
    if (!isPart && this.unfinished.size === 0) return layers;
    const touched = layers.flatMap((layer) => [...layer.keys()]);
    if (isPart) {
      for (const handle of touched) this.unfinished.add(handle);
      return layers.flatMap(inWaves);
    }
    for (const handle of touched) this.unfinished.delete(handle);
    const rest: Layer = new Map(Array.from(this.unfinished, (handle) => [handle, NO_CHANGES]));
    this.unfinished.clear();
    return [rest, ...layers].flatMap(inWaves);
  }

  private nextLayer(): Message {
    const { delivery } = this;
    this.layer += 1;
    if (delivery !== undefined && this.layer < delivery.layers.length) return { type: 'layer.ready', delivery: delivery.id };
    this.end();
    return { type: 'block.delivered' };
  }

  private shapesOf(consumers: ReadonlySet<Address>): Message {
    const handles = [...this.addressed()].filter((handle) => consumers.has(consumerOf(handle)));
    return { type: 'block.notTaken', handles };
  }

  private addressed(): Iterable<Handle> {
    return this.group ?? this.delivery?.layers[this.layer]?.keys() ?? [];
  }

  private end(): void {
    if (this.delivery !== undefined) this.deliveries.close(this.delivery.id);
    this.delivery = undefined;
    this.layer = -1;
  }
}

function named([handle, consumer]: readonly [Handle, Pid | undefined | null]): unknown {
  return consumer === undefined ? handle : [handle, consumer];
}

function* handlesOf(layers: readonly Layer[]): Iterable<Handle> {
  for (const layer of layers) yield* layer.keys();
}

function without(handles: ReadonlySet<Handle>, others: ReadonlySet<Handle>): ReadonlySet<Handle> {
  return new Set([...handles].filter((handle) => !others.has(handle)));
}

/** None of them is empty. */
function awakeOf(layers: readonly Layer[], touched: readonly Handle[]): readonly Layer[] {
  const dormant = new Set(touched);
  const awake = layers.map((layer): Layer => new Map([...layer].filter(([handle]) => !dormant.has(handle))));
  return awake.filter(({ size }) => size > 0);
}

function inWaves(layer: Layer): readonly Layer[] {
  const shapes = [...layer];
  const waves = Array.from({ length: Math.ceil(shapes.length / WAVE_SHAPES_MAX) }, (_, index) => index * WAVE_SHAPES_MAX);
  return waves.map((at) => new Map(shapes.slice(at, at + WAVE_SHAPES_MAX)));
}
