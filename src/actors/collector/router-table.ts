/**
 * RouterTable: which Consumers a block of the log goes to, and in which order. The collector's table.
 *
 * It owns the delivery that is under way: it opens one when a block is routed and closes it when the last layer has
 * answered, or when the collector ends. A row is held once, in the block, however many shapes it touches.
 */
import type { Fork, Forkable } from '../../base/fork.ts';
import type { LogRange } from '../../model/log-position.ts';
import type { Handle } from '../../model/shape.ts';
import type { LogBlock } from '../../model/transaction.ts';
import type { Address, Message, Name, RecipientsTable } from '../../otp/process.ts';
import type { Deliveries, Delivery } from '../../shapes/delivery.ts';
import type { BlockRouter } from '../../shapes/router.ts';
import { consumerOf } from '../shape-processes.ts';

export type RouterChange =
  | { readonly add: Handle }
  | { readonly remove: Handle }
  /** Opens a delivery of the block that was loaded; its first layer comes with `nextLayer`. */
  | { readonly route: LogRange }
  | 'nextLayer'
  /** Whom changes of these layouts may concern: the recipients until the next change. */
  | { readonly concerned: readonly number[] }
  /** Recipients that ended before they had answered: tells which shapes they served. */
  | { readonly unanswered: readonly Address[] };

/** Routes among the shapes that it was told of. It belongs to the table alone. */
export interface ShapeRouting extends BlockRouter, Forkable<ShapeRouting> {
  add(handle: Handle): void;
  remove(handle: Handle): void;
  /** The shapes that changes of these layouts may concern, whatever is in them. */
  shapesOn(layoutIds: Iterable<number>): ReadonlySet<Handle>;
}

/** Where the log reader has put the block that the collector asked for. */
export interface LoadedBlock extends Forkable<LoadedBlock> {
  take(range: LogRange): LogBlock;
  close(): void;
}

export class RouterTable implements RecipientsTable<RouterChange> {
  private readonly handles = new Set<Handle>();
  private delivery: Delivery | undefined;
  /** Which layer is being delivered; -1 before the first. */
  private layer = -1;
  /** Whom a large transaction may concern, while they are told of it. */
  private concerned: ReadonlySet<Handle> | undefined;

  constructor(
    private readonly routing: ShapeRouting,
    private readonly loaded: LoadedBlock,
    private readonly deliveries: Deliveries,
  ) {}

  *recipients(): Iterable<Name> {
    for (const handle of this.addressed()) yield consumerOf(handle);
  }

  apply(change: RouterChange): Message | undefined {
    if (change === 'nextLayer') return this.nextLayer();
    if ('add' in change) return this.add(change.add);
    if ('remove' in change) return this.remove(change.remove);
    if ('unanswered' in change) return this.shapesOf(new Set(change.unanswered));
    if ('concerned' in change) return this.address(change.concerned);
    return this.route(change.route);
  }

  clone(fork: Fork): RouterTable {
    const copy = new RouterTable(this.routing.clone(fork), this.loaded.clone(fork), this.deliveries.clone(fork));
    for (const handle of this.handles) copy.handles.add(handle);
    copy.delivery = this.delivery;
    copy.layer = this.layer;
    copy.concerned = this.concerned;
    return copy;
  }

  key(): string {
    return JSON.stringify([[...this.handles], this.delivery?.id ?? null, this.layer, [...this.addressed()]]);
  }

  close(): void {
    this.end();
    this.loaded.close();
  }

  private add(handle: Handle): undefined {
    if (this.handles.has(handle)) return;
    this.handles.add(handle);
    this.routing.add(handle);
  }

  private remove(handle: Handle): undefined {
    if (this.handles.delete(handle)) this.routing.remove(handle);
  }

  private address(layouts: readonly number[]): undefined {
    this.concerned = this.routing.shapesOn(layouts);
  }

  private route(range: LogRange): Message {
    this.concerned = undefined;
    const block = this.loaded.take(range);
    this.delivery = this.deliveries.begin(block, this.routing.route(block));
    return this.nextLayer();
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

  /** Whom the table names: of a large transaction all whom it may concern, else the layer that is being delivered. */
  private addressed(): Iterable<Handle> {
    return this.concerned ?? this.delivery?.layers[this.layer]?.keys() ?? [];
  }

  private end(): void {
    if (this.delivery !== undefined) this.deliveries.close(this.delivery.id);
    this.delivery = undefined;
    this.layer = -1;
  }
}
