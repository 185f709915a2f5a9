/**
 * RouterTable: which Consumers a block of the log goes to. The collector's table.
 *
 * It keeps the block that is being delivered, and what each shape must look at in it, until the collector lets go of it:
 * Consumers read both from here, so a row is held once however many shapes it touches. Nobody else knows the block by
 * then: it goes with this table when the collector dies.
 */
import { invariant } from '../base/invariant.ts';
import type { LogRange } from '../model/log-position.ts';
import type { Handle } from '../model/shape.ts';
import type { LogBlock } from '../model/transaction.ts';
import type { Address, Message, Name, RecipientsTable } from '../otp/process.ts';
import type { BlockRouter, Delivery, RoutedBlock } from '../shapes/router.ts';
import { consumerOf } from './shape-processes.ts';

export type RouterChange =
  | { readonly add: Handle }
  | { readonly remove: Handle }
  | { readonly route: LogRange }
  /** Recipients that ended before they had taken the block: tells which shapes they served. */
  | { readonly unanswered: readonly Address[] }
  | 'letGo';

/** Routes among the shapes that it was told of. */
export interface ShapeRouting extends BlockRouter {
  add(handle: Handle): void;
  remove(handle: Handle): void;
}

/** Blocks that a port has loaded, each while the answer that tells of it is handled. */
export interface LoadedBlocks {
  get(range: LogRange): LogBlock;
}

export class RouterTable implements RecipientsTable<RouterChange> {
  private readonly handles = new Set<Handle>();
  private routed: RoutedBlock = new Map();
  private delivered: LogBlock | undefined;

  constructor(
    private readonly routing: ShapeRouting,
    private readonly blocks: LoadedBlocks,
  ) {}

  /** What is being delivered to a shape. @throws {InvariantError} when `range` is not that of the block. */
  deliveryTo(handle: Handle, { after, through }: LogRange): Delivery {
    const { delivered } = this;
    invariant(delivered?.after === after && delivered.through === through, 'a block is asked for while it is delivered');
    return { block: delivered, changes: this.routed.get(handle) };
  }

  *recipients(): Iterable<Name> {
    for (const handle of this.routed.keys()) yield consumerOf(handle);
  }

  apply(change: RouterChange): Message | undefined {
    if (change === 'letGo') return this.letGo();
    if ('add' in change) return this.add(change.add);
    if ('remove' in change) return this.remove(change.remove);
    if ('unanswered' in change) return this.shapesOf(new Set(change.unanswered));
    return this.route(change.route);
  }

  clone(): RouterTable {
    const copy = new RouterTable(this.routing, this.blocks);
    for (const handle of this.handles) copy.handles.add(handle);
    copy.routed = this.routed;
    copy.delivered = this.delivered;
    return copy;
  }

  key(): string {
    return JSON.stringify([[...this.handles].sort(), this.delivered?.after ?? null, [...this.routed.keys()].sort()]);
  }

  private add(handle: Handle): undefined {
    if (this.handles.has(handle)) return;
    this.handles.add(handle);
    this.routing.add(handle);
  }

  private remove(handle: Handle): undefined {
    if (this.handles.delete(handle)) this.routing.remove(handle);
  }

  private route(range: LogRange): Message {
    this.delivered = this.blocks.get(range);
    this.routed = this.routing.route(this.delivered);
    return { type: 'block.routed', touched: this.routed.size };
  }

  private shapesOf(consumers: ReadonlySet<Address>): Message {
    const handles = [...this.routed.keys()].filter((handle) => consumers.has(consumerOf(handle)));
    return { type: 'block.notTaken', handles };
  }

  private letGo(): undefined {
    this.routed = new Map();
    this.delivered = undefined;
  }
}
