/**
 * Tracer: OpenTelemetry's, if the program has set one up before the service starts. Which spans are made at all, the program's sampler
 * says, before anything is put together for them.
 */
import { ProxyTracerProvider, trace, type HrTime, type Tracer } from '@opentelemetry/api';
import { VERSION } from '../../base/version.ts';

const NAME = 'armature';

/** @returns undefined when the program has no provider of traces: then nothing is to be done for them, ever. */
export function tracerIfAny(): Tracer | undefined {
  const provider = trace.getTracerProvider();
  const isAbsent = provider instanceof ProxyTracerProvider && provider.getDelegateTracer(NAME) === undefined;
  return isAbsent ? undefined : provider.getTracer(NAME, VERSION);
}

/** @param micros since 1970-01-01 UTC. */
export function spanTime(micros: number): HrTime {
  return [Math.floor(micros / 1_000_000), (micros % 1_000_000) * 1000];
}
