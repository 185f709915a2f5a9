/**
 * ModelDeliveries: the deliveries that are open, for tables that are copied from world to world.
 *
 * Their ids are their contents: whose they are and where they end. So they need not be renamed, and none is given again while
 * a message still names one, except for one that brings the same.
 */
import type { Fork } from '../../../src/base/fork.ts';
import type { LogBlock } from '../../../src/model/transaction.ts';
import { Deliveries, type Delivery, type DeliveryId } from '../../../src/shapes/delivery.ts';
import type { Layer } from '../../../src/shapes/router.ts';
import { WorldFork } from '../checker/world-fork.ts';

export type OpenDeliveries = Map<DeliveryId, Delivery>;

/** What holds them. */
export interface DeliveryHolder {
  readonly deliveries: OpenDeliveries;
}

/** Each collector opens one at a time. */
export type DeliveryOwner = 'collector' | 'catchUp';

export class ModelDeliveries extends Deliveries {
  constructor(
    private readonly holder: DeliveryHolder,
    private readonly owner: DeliveryOwner,
  ) {
    super();
  }

  override get count(): number {
    return this.holder.deliveries.size;
  }

  override begin(block: LogBlock, layers: readonly Layer[]): Delivery {
    const id = (2 * block.through + (this.owner === 'collector' ? 0 : 1)) as DeliveryId;
    const delivery = { id, block, layers };
    this.holder.deliveries.set(id, delivery);
    return delivery;
  }

  override get(id: DeliveryId): Delivery | undefined {
    return this.holder.deliveries.get(id);
  }

  override close(id: DeliveryId): void {
    this.holder.deliveries.delete(id);
  }

  override clone(fork: Fork): ModelDeliveries {
    return new ModelDeliveries(WorldFork.worldOf<DeliveryHolder>(fork), this.owner);
  }
}
