/**
 * RequestTraces: a span for each request, in the trace that its client or a proxy has begun. A live answer is linked to the
 * transaction whose lines it ends with. Of what is asked nothing is told: parameters may hold secrets.
 */
import { propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, type Span, type SpanContext, type Tracer } from '@opentelemetry/api';
import { lsnOfOffset, type LogOffset } from '../../model/log-offset.ts';
import type { Lsn } from '../../model/lsn.ts';

export interface TracedRequest {
  readonly method: string;
  readonly route: string;
  readonly isLive: boolean;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Headers of an answer that say which log it is of, and where it ends. */
const [HANDLE, OFFSET] = ['electric-handle', 'electric-offset'];

export class RequestTraces {
  /** @param transaction the trace of one that was sampled. */
  constructor(
    private readonly tracer: Tracer,
    private readonly transaction: (lsn: Lsn) => SpanContext | undefined,
  ) {}

  /** @returns undefined when the sampler leaves it out. */
  begun({ method, route, isLive, headers }: TracedRequest): FollowedRequest | undefined {
    const parent = propagation.extract(ROOT_CONTEXT, headers);
    const span = this.tracer.startSpan(`${method} ${route}`, { kind: SpanKind.SERVER }, parent);
    if (!span.isRecording()) return undefined;
    span.setAttributes({ 'http.request.method': method, 'http.route': route, 'armature.request.live': isLive });
    return new FollowedRequest(span, isLive, this.transaction);
  }
}

class FollowedRequest {
  constructor(
    private readonly span: Span,
    private readonly isLive: boolean,
    private readonly transaction: (lsn: Lsn) => SpanContext | undefined,
  ) {}

  /** @param headers name, value, name, value… */
  answered(status: number, headers: readonly string[]): void {
    const { span } = this;
    span.setAttribute('http.response.status_code', status);
    if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    const [handle, offset] = [valueOf(headers, HANDLE), valueOf(headers, OFFSET)];
    if (handle !== undefined) span.setAttribute('armature.shape.handle', handle);
    if (offset === undefined) return;
    span.setAttribute('armature.shape.offset', offset);
    const brought = this.isLive ? this.transaction(lsnOfOffset(offset as LogOffset)) : undefined; // Our own headers say offsets.
    if (brought !== undefined) span.addLink({ context: brought });
  }

  over(): void {
    this.span.end();
  }
}

function valueOf(headers: readonly string[], name: string | undefined): string | undefined {
  for (let index = 0; index < headers.length; index += 2) if (headers[index] === name) return headers[index + 1];
  return undefined;
}
