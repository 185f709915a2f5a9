/**
 * Delivery: a block of the log on its way to the shapes that it touches, layer by layer.
 *
 * It is a value with an id that the event names. Its owner opens it and closes it when every receiver has answered or
 * died; in between it never changes, so a receiver reads it whenever it comes to it. Of a delivery that was closed early,
 * because its owner died, a receiver takes nothing.
 */
import { Copies, type Fork } from '../base/fork.ts';
import { invariant } from '../base/invariant.ts';
import type { Handle } from '../model/shape.ts';
import type { LogBlock } from '../model/transaction.ts';
import type { Layer, RoutedChanges } from './router.ts';

/** Printable, and never given out twice in the life of a service. */
export type DeliveryId = number & { readonly __brand: 'DeliveryId' };

export interface Delivery {
  readonly id: DeliveryId;
  readonly block: LogBlock;
  readonly layers: readonly Layer[];
}

/** The deliveries that are open: few, since each owner has one at a time. */
export class Deliveries {
  private readonly open = new Map<DeliveryId, Delivery>();
  private last = 0;
  private readonly copies = new Copies<Deliveries>();

  get count(): number {
    return this.open.size;
  }

  begin(block: LogBlock, layers: readonly Layer[]): Delivery {
    this.last += 1;
    const delivery = { id: this.last as DeliveryId, block, layers };
    this.open.set(delivery.id, delivery);
    return delivery;
  }

  /** Undefined when it was closed. */
  get(id: DeliveryId): Delivery | undefined {
    return this.open.get(id);
  }

  close(id: DeliveryId): void {
    this.open.delete(id);
  }

  /** Deliveries are values: what is open is open in both, until each closes it. */
  clone(fork: Fork): Deliveries {
    return this.copies.of(fork, () => {
      const copy = new Deliveries();
      for (const [id, delivery] of this.open) copy.open.set(id, delivery);
      copy.last = this.last;
      return copy;
    });
  }
}

/** What one shape must look at in a delivery. @throws {InvariantError} when the shape is in none of its layers. */
export function changesFor({ id, layers }: Delivery, handle: Handle): RoutedChanges {
  const layer = layers.find((candidates) => candidates.has(handle));
  const changes = layer?.get(handle);
  invariant(changes !== undefined, `delivery ${id} was routed to ${handle}`);
  return changes;
}
