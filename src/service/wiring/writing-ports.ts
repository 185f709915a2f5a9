/**
 * WritingPorts: what a Consumer's table has of the service. One for each, and there may be very many: what they have in common is held
 * once. An object that is put together for each would have a hidden class of its own, which takes more than all that is in it.
 */
import type { ConsumerLines, ConsumerPorts, MovedRows } from '../../actors/consumer/consumer-ports.ts';
import { uncopied } from '../../base/fork.ts';
import type { ShapeLog } from '../../storage/shapes/shape-logs.ts';

/** What is the same for all Consumers. */
export type CommonPorts = Omit<ConsumerPorts, 'shapeLog' | 'lines' | 'loaded' | 'movedRows' | 'clone'>;

const UNCOPIED = uncopied('a request that waits for a shape');

export class WritingPorts implements ConsumerPorts {
  constructor(
    private readonly common: CommonPorts,
    readonly shapeLog: ShapeLog,
    readonly lines: ConsumerLines,
    readonly loaded: ConsumerPorts['loaded'],
    readonly movedRows: MovedRows,
  ) {}

  get clone() { return UNCOPIED; }
  get valuesOf() { return this.common.valuesOf; }
  get delivery() { return this.common.delivery; }
  get layoutOf() { return this.common.layoutOf; }
  get takenByAll() { return this.common.takenByAll; }
  get processedLsn() { return this.common.processedLsn; }
  get announce() { return this.common.announce; }
  get hidden() { return this.common.hidden; }
  get worked() { return this.common.worked; }
}
