/** Ground: what a service has from its first step to its last, whichever stage it is at. */
import type { Logger } from 'pino';
import { logLifecycle } from '../telemetry/lifecycle-log.ts';
import type { ServiceMetrics } from '../telemetry/metrics/service-metrics.ts';
import { RecentDeaths } from '../telemetry/recent-deaths.ts';
import { ServiceTroubles } from '../telemetry/service-troubles.ts';
import { createRuntime, type Runtime } from '../otp/runtime.ts';
import type { Configuration } from '../settings/configuration.ts';
import { loadWhereLanguage } from '../sql/where-language.ts';
import type { Closing } from './closing.ts';
import { countedMetrics } from './metrics-endpoint.ts';
import { ServiceEvents } from './service-events.ts';
import type { ServiceResources } from './service-resources.ts';
import type { StartWatch } from './start-watch.ts';
import { ServiceReception } from './wiring/edge.ts';
import { watchesOf } from './wiring/telemetry.ts';
import type { Watches } from './wiring/watches.ts';
import type { World } from './world.ts';

/** What a start begins with. */
export interface Beginning {
  readonly configuration: Configuration;
  readonly world: World;
  readonly watch: StartWatch;
  readonly logger: Logger;
  /** What was opened. */
  readonly closing: Closing;
}

export interface Ground extends Beginning {
  readonly runtime: Runtime;
  readonly language: ServiceResources['language'];
  readonly events: ServiceEvents;
  readonly reception: ServiceReception;
  /** Undefined when nobody asked for metrics. */
  readonly metrics: ServiceMetrics | undefined;
  readonly watches: Watches;
  readonly troubles: ServiceTroubles;
  readonly deaths: RecentDeaths;
}

export async function groundOf(beginning: Beginning): Promise<Ground> {
  const { configuration, world, logger, closing } = beginning;
  const runtime = createRuntime({ clock: world.clock });
  logLifecycle(runtime, logger);
  if (configuration.ignored.length > 0) logger.warn({ variables: configuration.ignored }, 'settings without a meaning here are ignored');
  const metrics = await countedMetrics(configuration, world, runtime, closing);
  return {
    ...beginning,
    runtime,
    language: await loadWhereLanguage(),
    events: new ServiceEvents((error, event) => logger.error({ err: error, event }, 'a listener failed')),
    reception: new ServiceReception(),
    metrics,
    watches: watchesOf(metrics, world.clock),
    troubles: new ServiceTroubles(world.clock),
    deaths: new RecentDeaths(runtime, world.clock),
  };
}
