/**
 * shapes: one_for_all, because its members share in-memory state that must be rebuilt together: a collector that came
 * back alone would know no shape, and nobody would tell it.
 *
 * The collector starts first and stops last, so that a drain can finish; the shape cache starts last, since it brings
 * the stored shapes back through all the others. One bad shape harms nobody: Consumers are temporary.
 */
import { consumer } from '../actors/consumer.ts';
import { materializer } from '../actors/materializer.ts';
import { publicationManager } from '../actors/publication-manager.ts';
import { shapeCache } from '../actors/shape-cache.ts';
import { shapeLogCollector } from '../actors/shape-log-collector.ts';
import { snapshotter } from '../actors/snapshotter.ts';
import type { Handle } from '../model/shape.ts';
import type { DynamicSupervisorSpec, SupervisorSpec } from '../otp/child-spec.ts';
import { dynamicSupervisor } from '../otp/dynamic-supervisor.ts';
import type { Message } from '../otp/process.ts';
import type { Rooms } from './rooms.ts';

/** All Consumers drain at once. */
const CONSUMERS_SHUTDOWN = 'infinity';

export function shapes(rooms: Rooms): SupervisorSpec {
  const { tables, takenThrough } = rooms;
  return {
    strategy: 'one_for_all',
    children: [
      {
        id: 'shape-log-collector',
        start: () => ({
          machine: shapeLogCollector,
          input: { position: takenThrough() },
          tables: tables.collector,
          name: '@shape-log-collector',
        }),
      },
      {
        id: 'publication-manager',
        start: () => ({ machine: publicationManager, tables: tables.publicationManager, name: '@publication-manager' }),
      },
      { id: 'consumers', start: () => dynamicSupervisor(consumers(rooms)), shutdown: CONSUMERS_SHUTDOWN },
      { id: 'shape-cache', start: () => ({ machine: shapeCache, tables: tables.shapeCache, name: '@shape-cache' }) },
    ],
  };
}
