/** What a Consumer has of other shapes when its own depends on none. */
import type { ConsumerPorts } from '../../../src/actors/consumer/consumer-ports.ts';
import { MovedRows } from '../../../src/storage/shapes/moved-rows.ts';

export function noDependencies(): Pick<ConsumerPorts, 'valuesOf' | 'movedRows'> {
  return { valuesOf: () => undefined, movedRows: new MovedRows().slot('nobody') };
}
