/** Traces: which spans there are, how they hang together, and that nothing is done where nobody asked for any. */
import { trace, TraceFlags, type SpanContext } from '@opentelemetry/api';
import {
  AlwaysOffSampler, AlwaysOnSampler, BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor, type Sampler,
} from '@opentelemetry/sdk-trace-base';
import { afterEach, expect, test } from 'vitest';
import type { LogPosition } from '../../src/model/log-position.ts';
import type { Lsn } from '../../src/model/lsn.ts';
import type { Xid } from '../../src/model/pg-snapshot.ts';
import type { Handle } from '../../src/model/shape.ts';
import { RequestTraces } from '../../src/telemetry/traces/request-traces.ts';
import { traceSnapshot } from '../../src/telemetry/traces/snapshot-traces.ts';
import { tracerIfAny } from '../../src/telemetry/traces/tracer.ts';
import { TransactionTraces } from '../../src/telemetry/traces/transaction-traces.ts';

const BEGUN_MICROS = 1_700_000_000_000_000;

function tracing(sampler: Sampler = new AlwaysOnSampler()) {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ sampler, spanProcessors: [new SimpleSpanProcessor(exporter)] });
  let nowMicros = BEGUN_MICROS;
  const clock = { epochMicros: () => (nowMicros += 1_000) };
  return { tracer: provider.getTracer('test'), provider, exporter, clock };
}

function committed(end: number, bytes = 10) {
  return {
    xid: 7 as Xid, lsn: String(end) as Lsn, end: end as LogPosition, bytes, operations: 2,
    committedMicros: BEGUN_MICROS, begunMicros: BEGUN_MICROS,
  };
}

afterEach(() => trace.disable());

test('a transaction is one trace: received, durable, routed and shown, one behind the other', () => {
  const { tracer, exporter, clock } = tracing();
  const traces = new TransactionTraces(tracer, clock);

  traces.committed(committed(100));
  traces.committed(committed(200));
  traces.durable(200 as LogPosition);
  traces.routed(100 as LogPosition);
  traces.shown(100 as LogPosition);

  const spans = exporter.getFinishedSpans();
  const [whole] = spans.filter(({ name }) => name === 'armature.transaction');
  const parts = spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === whole?.spanContext().spanId);
  const micros = ([seconds, nanos]: readonly [number, number]) => seconds * 1_000_000 + nanos / 1_000 - BEGUN_MICROS;
  const followOn = parts.slice(1).every(({ startTime }, index) => micros(startTime) >= micros(parts[index]?.endTime ?? [0, 0]));
  expect({
    names: parts.map(({ name }) => name), followOn,
    whole: [micros(whole?.startTime ?? [0, 0]), micros(whole?.endTime ?? [0, 0]) === micros(parts.at(-1)?.endTime ?? [0, 0])],
    lsn: whole?.attributes['armature.transaction.lsn'],
    finished: spans.filter(({ name }) => name === 'armature.transaction').length,
    known: traces.contextOf('100' as Lsn)?.spanId === whole?.spanContext().spanId,
  }).toEqual({
    names: ['received', 'durable', 'routed', 'shown'].map((stage) => `armature.transaction.${stage}`), followOn: true,
    whole: [0, true], lsn: '100', finished: 1, known: true,
  });
});

test('a transaction that the sampler leaves out, or that changed nothing, leaves nothing behind', () => {
  const off = tracing(new AlwaysOffSampler());
  const on = tracing();
  const [unsampled, empty] = [new TransactionTraces(off.tracer, off.clock), new TransactionTraces(on.tracer, on.clock)];

  unsampled.committed(committed(100));
  empty.committed(committed(100, 0));
  for (const traces of [unsampled, empty]) traces.shown(100 as LogPosition);

  const spans = [...off.exporter.getFinishedSpans(), ...on.exporter.getFinishedSpans()];
  expect([spans, unsampled.contextOf('100' as Lsn), empty.contextOf('100' as Lsn)]).toEqual([[], undefined, undefined]);
});

test('no more transactions are traced at a time than may be', () => {
  const { tracer, exporter, clock } = tracing();
  const traces = new TransactionTraces(tracer, clock, 2);

  for (const end of [1, 2, 3]) traces.committed(committed(end));
  traces.shown(3 as LogPosition);
  traces.committed(committed(4));
  traces.shown(4 as LogPosition);

  const lsns = exporter.getFinishedSpans().flatMap(({ attributes }) => attributes['armature.transaction.lsn'] ?? []);
  expect(lsns).toEqual(['1', '2', '4']);
});

test('a live answer is linked to the transaction that it ends with, and tells nothing of what was asked', () => {
  const { tracer, exporter } = tracing();
  const brought: SpanContext = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: TraceFlags.SAMPLED };
  const requests = new RequestTraces(tracer, (lsn) => (lsn === '100' ? brought : undefined));

  for (const isLive of [true, false]) {
    const followed = requests.begun({ method: 'GET', route: '/v1/shape', isLive, headers: { authorization: 'Bearer S3cret' } });
    followed?.answered(200, ['etag', '"x"', 'electric-handle', '1-2', 'electric-offset', '100_4']);
    followed?.over();
  }

  const told = exporter.getFinishedSpans().map(({ name, attributes, links }) => {
    return { name, attributes, links: links.map((link) => link.context) };
  });
  const attributes = {
    'http.request.method': 'GET', 'http.route': '/v1/shape', 'http.response.status_code': 200,
    'armature.shape.handle': '1-2', 'armature.shape.offset': '100_4',
  };
  expect(told).toEqual([
    { name: 'GET /v1/shape', attributes: { ...attributes, 'armature.request.live': true }, links: [brought] },
    { name: 'GET /v1/shape', attributes: { ...attributes, 'armature.request.live': false }, links: [] },
  ]);
});

test('a snapshot is one span, with what it read and how it ended', () => {
  const { tracer, exporter } = tracing();

  for (const outcome of ['completed', 'failed'] as const) {
    const snapshot = traceSnapshot(tracer, '1-2' as Handle);
    snapshot?.running();
    snapshot?.read(10);
    snapshot?.read(5);
    snapshot?.ended(outcome);
  }

  const told = exporter.getFinishedSpans().map(({ name, attributes, events, status }) => {
    return [name, attributes['armature.snapshot.bytes'], events.map((event) => event.name), status.code];
  });
  expect(told).toEqual([['armature.snapshot', 15, ['running'], 0], ['armature.snapshot', 15, ['running'], 2]]);
});

test('without a provider there is no tracer, so nobody does anything for one', () => {
  const before = tracerIfAny();
  trace.setGlobalTracerProvider(tracing().provider);

  expect([before, tracerIfAny() === undefined]).toEqual([undefined, false]);
});
