/** Where Prometheus gets its metrics, when the configuration names a port: opened before the tree starts, closed behind it. */
import type { Logger } from 'pino';
import type { Runtime } from '../otp/runtime.ts';
import type { Configuration } from '../settings/configuration.ts';
import { startMetricsServer } from '../telemetry/metrics/metrics-server.ts';
import { countEnds } from '../telemetry/metrics/process-ends.ts';
import type { MetricsSource, ServiceMetrics } from '../telemetry/metrics/service-metrics.ts';
import type { Closing } from './closing.ts';
import type { World } from './world.ts';

/** @returns undefined when nobody asked for metrics: then nothing is counted, and the library that does it is not loaded. */
export async function countedMetrics(
  { prometheusPort }: Configuration,
  { clock }: World,
  runtime: Pick<Runtime, 'lifecycle'>,
  closing: Closing,
): Promise<ServiceMetrics | undefined> {
  if (prometheusPort === undefined) return undefined;
  const { ServiceMetrics: Metrics } = await import('../telemetry/metrics/service-metrics.ts');
  const metrics = new Metrics(clock);
  const stopCounting = countEnds(runtime, metrics.made);
  closing.add('the metrics', async () => {
    stopCounting();
    metrics.close();
  });
  return metrics;
}

/**
 * @param source undefined while there is nothing to be measured.
 * @returns where.
 * @throws {MetricsPortError} nothing was opened.
 */
export async function serveMetrics(
  metrics: ServiceMetrics,
  { configuration, logger, closing }: { readonly configuration: Configuration; readonly logger: Logger; readonly closing: Closing },
  source: () => MetricsSource | undefined,
): Promise<string> {
  const { host, prometheusPort: port = 0 } = configuration;
  const server = await startMetricsServer({
    host, port,
    contentType: metrics.contentType,
    async scrape() {
      const found = source();
      return found && (await metrics.scrape(found));
    },
    failed: (error) => tellFailure(logger, error),
  });
  closing.add('the socket of the metrics', () => server.close());
  logger.info({ url: server.url }, 'metrics are served');
  return server.url;
}

function tellFailure(logger: Logger, error: unknown): void {
  logger.error({ err: error }, 'the metrics could not be read');
}
