/** The wiring of the metrics: what is read of the service at a scrape. It walks over processes and shapes once; the rest is counted. */
import type { Life } from '../../actors/directory/handle-life.ts';
import { ShapeDirectory } from '../../actors/directory/shape-directory.ts';
import type { Api } from '../../api/api.ts';
import type { LimitsStanding } from '../../api/ports.ts';
import { slotFigures } from '../../postgres/replication/slot-figures.ts';
import type { LimitFigures, LogFigures, ServiceFigures, ShapeFigures } from '../../telemetry/metrics/service-figures.ts';
import type { MetricsSource } from '../../telemetry/metrics/service-metrics.ts';
import { diskFigures } from '../../storage/disk-figures.ts';
import type { Storage } from '../../storage/storage.ts';
import type { ServiceResources } from '../service-resources.ts';
import { databaseUse } from './idle.ts';
import { KeptAnswer } from './kept-answer.ts';
import { livingTable } from './living-table.ts';

/** However often it is scraped, Postgres is asked no more often. */
const SLOT_TIMES = { keptMs: 10_000, waitMsMax: 1_000 };

export function metricsSource(resources: ServiceResources, api: Pick<Api, 'level' | 'limits' | 'load' | 'refusals'>): MetricsSource {
  const { database, world } = resources;
  const slot = new KeptAnswer(world.clock, SLOT_TIMES, () => slotFigures(database.adminPool, database.slot));
  return {
    figures: () => serviceFigures(resources, api),
    slot: async () => (database.adminPool.isUp ? await slot.get() : undefined),
  };
}

function serviceFigures(
  { configuration, database, runtime, storage }: ServiceResources,
  api: Pick<Api, 'level' | 'limits' | 'load' | 'refusals'>,
): ServiceFigures {
  const { initial, existing, parked } = api.load();
  const directory = livingTable(runtime, '@shape-cache', 'directory', ShapeDirectory);
  return {
    status: api.level(),
    isPostgresUp: database.adminPool.isUp,
    isPostgresAsleep: databaseUse(runtime)?.isOpen === false && !database.adminPool.isUp,
    admitted: { initial, existing },
    admissionLimits: configuration.maxConcurrentRequests,
    refused: api.refusals(),
    parked,
    log: logFigures(storage),
    stored: { ...diskFigures(storage), limit: configuration.storageBytesMax },
    limits: limitFigures(api.limits()),
    shapes: directory && shapeFigures(directory),
    processes: runtime.processes(),
  };
}

function limitFigures(standing: LimitsStanding | undefined): LimitFigures | undefined {
  return standing && { shapesMax: standing.shapes.limit, ended: standing.ended.count, refused: standing.refused.count };
}

function logFigures({ log, shapes, disk }: Storage): LogFigures {
  return {
    ...log.retained,
    untakenBytes: log.durableEnd - shapes.position,
    neededBytes: log.durableEnd - shapes.releasable,
    unsavedBytes: shapes.unsavedBytes,
    refusals: disk.refusals,
  };
}

function shapeFigures(directory: ShapeDirectory): ShapeFigures {
  const count = (life: Life): number => directory.count(life);
  const lives = {
    reserved: count('reserved'), starting: count('starting'), live: directory.back - count('dormant'),
    dormant: count('dormant'),
    condemned: count('condemned'),
  };
  return { served: directory.size, lives, ended: count('gone') };
}
