/**
 * RequestCounts: requests counted by route and status, and how long they took. Both are words of a short list, whatever is asked for.
 */
import type { Clock } from '../../base/clock.ts';
import type { MadeMetrics } from './made-metrics.ts';

export interface CountedRequest {
  readonly route: string;
  readonly isLive: boolean;
}

const READ = 'readShape';
/** The header of a refusal that an operator knows. */
const KNOWN_ERROR = 'electric-internal-known-error';

export class RequestCounts {
  constructor(
    private readonly metrics: MadeMetrics,
    private readonly clock: Pick<Clock, 'nowMs'>,
  ) {}

  begun({ route, isLive }: CountedRequest): OpenRequest {
    return new OpenRequest(this.metrics, this.clock, route, isLive && route === READ);
  }
}

class OpenRequest {
  private readonly beganMs: number;
  private status = 'none';
  private isKnownError = false;
  private isStream = false;

  constructor(
    private readonly metrics: MadeMetrics,
    private readonly clock: Pick<Clock, 'nowMs'>,
    private readonly route: string,
    private readonly isLive: boolean,
  ) {
    this.beganMs = clock.nowMs();
    metrics.requestsOpen.inc({ route });
  }

  /** @param headers name, value, name, value… */
  answered(status: number, headers: readonly string[]): void {
    this.status = String(status);
    this.isKnownError = headers.includes(KNOWN_ERROR);
    this.isStream = headers.includes('text/event-stream');
    if (this.isStream) this.metrics.streamsOpen.inc();
  }

  over(): void {
    const { metrics, route, status, isLive } = this;
    const tookMs = this.clock.nowMs() - this.beganMs;
    const live = String(isLive);
    metrics.requestsOpen.dec({ route });
    metrics.requests.inc({ route, status });
    metrics.requestSeconds.observe({ route, live }, tookMs / 1000);
    if (this.isStream) metrics.streamsOpen.dec();
    if (route !== READ || status === 'none') return;
    metrics.serveRequests.inc({ status, live, known_error: String(this.isKnownError) });
    if (isLive) return;
    metrics.serveCount.inc();
    metrics.serveMs.observe(tookMs);
  }
}
