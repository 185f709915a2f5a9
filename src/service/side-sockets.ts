/**
 * SideSockets: where a service listens beside its own port, for metrics and for the inspection protocol. They are opened once, before its
 * first stage: what a port has to say that is taken, an instance that stands by must say at its start, and not when it takes over.
 */
import { startInspectionServer } from '../observer/inspection-server.ts';
import type { MetricsSource } from '../telemetry/metrics/service-metrics.ts';
import type { Ground } from './ground.ts';
import { serveMetrics } from './metrics-endpoint.ts';

export interface SideSockets {
  readonly metricsUrl: string | undefined;
  readonly inspectionUrl: string | undefined;
  /** What they show of the stage that runs, which says so. */
  readonly shown: Shown;
}

interface Shown {
  source: MetricsSource | undefined;
  observerUrl: string | undefined;
}

/** @throws {MetricsPortError | InspectionPortTakenError} what was opened before is closed with the service. */
export async function openSideSockets(ground: Ground): Promise<SideSockets> {
  const shown: Shown = { source: undefined, observerUrl: undefined };
  const { metrics, configuration: { inspect } } = ground;
  const metricsUrl = metrics && (await serveMetrics(metrics, ground, () => shown.source));
  const inspectionUrl = inspect ? await serveInspection(ground, shown) : undefined;
  return { metricsUrl, inspectionUrl, shown };
}

async function serveInspection({ runtime, configuration, logger, closing }: Ground, shown: Readonly<Shown>): Promise<string> {
  const inspection = await startInspectionServer({ runtime, port: configuration.inspectPort, observerUrl: () => shown.observerUrl });
  closing.add('the socket of the inspection protocol', () => inspection.close());
  logger.info({ url: inspection.url }, 'the inspection protocol of xstate is streamed');
  return inspection.url;
}
