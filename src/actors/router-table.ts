/**
 * RouterTable: which Consumers a block of the log goes to. The collector's table.
 *
 * It keeps the block that is being delivered, and what each shape must look at in it, until the collector releases it:
 * Consumers read both from here, so a row is held once however many shapes it touches.
 */
import { invariant } from '../base/invariant.ts';
import type { LogPosition, LogRange } from '../model/log-position.ts';
import type { Handle } from '../model/shape.ts';
import type { LogBlock } from '../model/transaction.ts';
import type { Message, Name, RecipientsTable } from '../otp/process.ts';
import type { BlockRouter, RoutedBlock, RoutedChanges } from '../shapes/router.ts';

export type RouterChange =
  | { readonly add: Handle }
  | { readonly remove: Handle }
  | { readonly route: LogRange }
  | { readonly release: LogRange };

/** Routes among the shapes that it was told of. */
export interface ShapeRouting extends BlockRouter {
  add(handle: Handle): void;
  remove(handle: Handle): void;
}

/** Blocks that a port has loaded and nobody has released. */
export interface PinnedBlocks {
  get(after: LogPosition, through: LogPosition): LogBlock;
  release(after: LogPosition, through: LogPosition): void;
}

export class RouterTable implements RecipientsTable<RouterChange> {
  private readonly handles = new Set<Handle>();
  private routed: RoutedBlock = new Map();
  private routedAfter: LogPosition | undefined;

  constructor(
    private readonly routing: ShapeRouting,
    private readonly blocks: PinnedBlocks,
  ) {}

  /** What a shape must look at in the block behind `after`; undefined when the block does not touch it. */
  changesOf(handle: Handle, after: LogPosition): RoutedChanges | undefined {
    invariant(after === this.routedAfter, 'changes are asked for while their block is delivered');
    return this.routed.get(handle);
  }

  *recipients(): Iterable<Name> {
    for (const handle of this.routed.keys()) yield `@consumer/${handle}`;
  }

  apply(change: RouterChange): Message | undefined {
    if ('add' in change) return this.add(change.add);
    if ('remove' in change) return this.remove(change.remove);
    if ('route' in change) return this.route(change.route);
    return this.release(change.release);
  }

  clone(): RouterTable {
    const copy = new RouterTable(this.routing, this.blocks);
    for (const handle of this.handles) copy.handles.add(handle);
    copy.routed = this.routed;
    copy.routedAfter = this.routedAfter;
    return copy;
  }

  key(): string {
    return JSON.stringify([[...this.handles].sort(), this.routedAfter ?? null, [...this.routed.keys()].sort()]);
  }

  private add(handle: Handle): undefined {
    if (this.handles.has(handle)) return;
    this.handles.add(handle);
    this.routing.add(handle);
  }

  private remove(handle: Handle): undefined {
    if (this.handles.delete(handle)) this.routing.remove(handle);
  }

  private route({ after, through }: LogRange): Message {
    this.routed = this.routing.route(this.blocks.get(after, through));
    this.routedAfter = after;
    return { type: 'block.routed', touched: this.routed.size };
  }

  private release({ after, through }: LogRange): undefined {
    this.routed = new Map();
    this.routedAfter = undefined;
    this.blocks.release(after, through);
  }
}
