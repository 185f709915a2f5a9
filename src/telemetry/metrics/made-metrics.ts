/** The metrics of the catalogue as prom-client has them, in a registry of their own: two services in one program share nothing. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { METRICS, type MetricKey, type MetricSpec } from './catalogue.ts';

interface Kinds {
  readonly counter: Counter;
  readonly gauge: Gauge;
  readonly histogram: Histogram;
}

export type MadeMetrics = { readonly [Key in MetricKey]: Kinds[(typeof METRICS)[Key]['type']] };

export function makeMetrics(): { readonly registry: Registry; readonly made: MadeMetrics } {
  const registry = new Registry();
  const made = Object.fromEntries(Object.entries<MetricSpec>(METRICS).map(([key, spec]) => [key, make(spec, registry)]));
  return { registry, made: made as unknown as MadeMetrics }; // Each was made by the type that stands in the same row.
}

function make({ name, type, help, labels = [], buckets }: MetricSpec, registry: Registry): Kinds[MetricSpec['type']] {
  const common = { name, help, labelNames: [...labels], registers: [registry] };
  switch (type) {
    case 'counter':
      return new Counter(common);
    case 'gauge':
      return new Gauge(common);
    case 'histogram':
      return new Histogram(buckets === undefined ? common : { ...common, buckets: [...buckets] });
  }
}
