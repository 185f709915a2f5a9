/**
 * shapes: one_for_all, because its members share in-memory state that must be rebuilt together: a collector that came
 * back alone would know no shape, and nobody would tell it.
 *
 * The collector starts first and stops last, so that a drain can finish; the shape cache starts last, since it brings
 * the stored shapes back through all the others. One bad shape harms nobody: Consumers are temporary.
 */
import type { InnerShape } from '../actors/consumer/consumer-setup.ts';
import { consumer } from '../actors/consumer/consumer.ts';
import { materializer } from '../actors/materializer.ts';
import { publicationManager } from '../actors/publication/publication-manager.ts';
import { shapeCache } from '../actors/directory/shape-cache.ts';
import { expiry } from '../actors/expiry/expiry.ts';
import { catchUpCollector } from '../actors/collector/catch-up-collector.ts';
import { shapeLogCollector } from '../actors/collector/shape-log-collector.ts';
import { consumerOf, materializerOf } from '../actors/shape-processes.ts';
import { snapshotter } from '../actors/snapshotter.ts';
import type { Handle } from '../model/shape.ts';
import type { ChildSpec, DynamicSupervisorSpec, SupervisorSpec } from '../otp/supervision/child-spec.ts';
import { dynamicSupervisor } from '../otp/supervision/dynamic-supervisor.ts';
import type { Message, Pid } from '../otp/process.ts';
import type { StackWiring } from './stack-wiring.ts';

export type ShapesWiring = Pick<
  StackWiring,
  'tables' | 'shapeLog' | 'takenThrough' | 'publicationCheckEveryMs' | 'shapeHibernateAfterMs' | 'shapeDormantAfterMs' | 'expiry'
>;

export function shapes(wiring: ShapesWiring): SupervisorSpec {
  const { tables, takenThrough, publicationCheckEveryMs, shapeDormantAfterMs: restAfterMs, expiry: limits } = wiring;
  return {
    strategy: 'one_for_all',
    children: [
      {
        id: 'shape-log-collector',
        start: () => ({
          machine: shapeLogCollector,
          input: { position: takenThrough(), restAfterMs },
          tables: tables.collector,
          name: '@shape-log-collector',
        }),
      },
      {
        id: 'catch-up-collector',
        start: () => ({ machine: catchUpCollector, tables: tables.catchUpCollector, name: '@catch-up-collector' }),
      },
      {
        id: 'publication-manager',
        start: () => ({
          machine: publicationManager,
          input: { checkEveryMs: publicationCheckEveryMs },
          tables: tables.publicationManager,
          name: '@publication-manager',
        }),
      },
      { id: 'consumers', start: () => dynamicSupervisor(consumers(wiring)), shutdown: 'infinity' },
      { id: 'shape-cache', start: () => ({ machine: shapeCache, tables: tables.shapeCache, name: '@shape-cache' }) },
      ...(limits === undefined ? [] : [expiryOf(limits)]),
    ],
  };
}

function expiryOf({ checkEveryMs, tables }: NonNullable<ShapesWiring['expiry']>): ChildSpec {
  return { id: 'expiry', start: () => ({ machine: expiry, input: { checkEveryMs }, tables, name: '@expiry' }) };
}

interface ConsumerArgs {
  readonly handle: Handle;
  readonly mode: 'create' | 'restore';
  readonly dependencies?: readonly InnerShape[];
}

interface MaterializerArgs {
  readonly handle: Handle;
  readonly column: string;
  /** Of the inner shape. */
  readonly consumer: Pid;
  /** That of the outer one, which asks. */
  readonly dependant: Pid;
}

/** Per shape a Consumer; while its first rows come a Snapshotter; for an inner shape, and each column asked of it, a Materializer. */
export function consumers({ shapeLog, tables, shapeHibernateAfterMs: hibernateAfterMs }: ShapesWiring): DynamicSupervisorSpec {
  return {
    name: '@consumers',
    templates: {
      consumer: (args) => {
        const { handle, mode, dependencies } = args as Message & ConsumerArgs;
        const { position, end, shownThrough } = shapeLog(handle);
        return {
          id: handle,
          restart: 'temporary',
          start: () => ({
            machine: consumer,
            input: { handle, mode, position, end, ...(dependencies === undefined ? {} : { dependencies, shownThrough }) },
            tables: (self) => tables.consumer(handle, self),
            name: consumerOf(handle),
            trapExit: true,
            hibernateAfterMs,
          }),
        };
      },
      snapshotter: (args) => {
        const { handle, consumer: asker } = args as Message & { handle: Handle; consumer: Pid };
        const { relation } = shapeLog(handle).definition;
        return {
          id: `snapshotter/${handle}`,
          restart: 'temporary',
          start: () => ({ machine: snapshotter, input: { handle, relation, consumer: asker } }),
        };
      },
      materializer: (args) => {
        const { handle, column, consumer: inner, dependant } = args as Message & MaterializerArgs;
        return {
          id: `materializer/${handle}/${column}`,
          restart: 'temporary',
          start: () => ({
            machine: materializer,
            input: { handle, column, consumer: inner, dependant },
            tables: (self) => tables.materializer(handle, column, self),
            name: materializerOf(handle, column),
            hibernateAfterMs,
          }),
        };
      },
    },
  };
}
