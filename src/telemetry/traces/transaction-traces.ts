/**
 * TransactionTraces: the way of a transaction as spans: received, made durable, routed to the shapes that it touches, and shown to their
 * readers. One that the sampler leaves out costs one question.
 */
import { context, SpanKind, trace, type Span, type SpanContext, type Tracer } from '@opentelemetry/api';
import type { Clock } from '../../base/clock.ts';
import { Ring } from '../../base/ring.ts';
import type { LogPosition } from '../../model/log-position.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { CommittedTransaction, TransactionWatch } from '../transaction-watch.ts';
import { spanTime } from './tracer.ts';

/** Sampled transactions under way; those beyond are not traced. */
const TRACED_MAX = 10_000;
/** Sampled transactions that are remembered, for the requests that bring them to clients. */
const REMEMBERED_MAX = 1_000;

/** By what ends each of them. */
const STAGES = ['durable', 'routed', 'shown'] as const;
type Stage = (typeof STAGES)[number];

interface Traced {
  readonly end: LogPosition;
  readonly span: Span;
  /** Of the stage that it is in. */
  stage: Span;
}

export class TransactionTraces implements TransactionWatch {
  /** By the stage that each is in. */
  private readonly waiting: Readonly<Record<Stage, Ring<Traced>>> = { durable: new Ring(), routed: new Ring(), shown: new Ring() };
  private readonly remembered = new Map<Lsn, SpanContext>();

  constructor(
    private readonly tracer: Tracer,
    private readonly clock: Pick<Clock, 'epochMicros'>,
    private readonly tracedMax = TRACED_MAX,
  ) {}

  /** The trace of a sampled transaction that was shown or is about to be, for a link; undefined for one that is long past. */
  contextOf(lsn: Lsn): SpanContext | undefined {
    return this.remembered.get(lsn);
  }

  committed({ xid, lsn, end, bytes, operations, begunMicros, committedMicros }: CommittedTransaction): void {
    if (bytes === 0 || this.count >= this.tracedMax) return;
    const startTime = spanTime(begunMicros);
    const span = this.tracer.startSpan('armature.transaction', { kind: SpanKind.CONSUMER, startTime, root: true });
    if (!span.isRecording()) return;
    span.setAttributes({
      'db.system.name': 'postgresql',
      'armature.transaction.xid': xid,
      'armature.transaction.lsn': lsn,
      'armature.transaction.bytes': bytes,
      'armature.transaction.operations': operations,
      'armature.transaction.committed': new Date(committedMicros / 1000).toISOString(),
    });
    this.child(span, 'received', startTime).end(this.now);
    this.waiting.durable.push({ end, span, stage: this.child(span, 'durable', this.now) });
    this.remember(lsn, span.spanContext());
  }

  durable(through: LogPosition): void {
    this.pass('durable', through);
  }

  /** Of what was not told to be durable, that is told here: a collector never reads anything else. */
  routed(through: LogPosition): void {
    this.pass('durable', through);
    this.pass('routed', through);
  }

  /** A large transaction is named to its shapes and not routed: what is shown is past all stages. */
  shown(through: LogPosition): void {
    for (const stage of STAGES) this.pass(stage, through);
  }

  private get count(): number {
    return STAGES.reduce((sum, stage) => sum + this.waiting[stage].length, 0);
  }

  private get now() {
    return spanTime(this.clock.epochMicros());
  }

  private pass(stage: Stage, through: LogPosition): void {
    const waiting = this.waiting[stage];
    for (let first = waiting.peek(); first !== undefined && first.end <= through; first = waiting.peek()) {
      waiting.shift();
      this.leave(stage, first);
    }
  }

  private leave(stage: Stage, traced: Traced): void {
    const { now } = this;
    const next = STAGES[STAGES.indexOf(stage) + 1];
    traced.stage.end(now);
    if (next === undefined) return traced.span.end(now);
    traced.stage = this.child(traced.span, next, now);
    this.waiting[next].push(traced);
  }

  private child(span: Span, name: 'received' | Stage, startTime: ReturnType<typeof spanTime>): Span {
    return this.tracer.startSpan(`armature.transaction.${name}`, { startTime }, trace.setSpan(context.active(), span));
  }

  private remember(lsn: Lsn, spanContext: SpanContext): void {
    this.remembered.set(lsn, spanContext);
    const [oldest] = this.remembered.keys();
    if (this.remembered.size > REMEMBERED_MAX && oldest !== undefined) this.remembered.delete(oldest);
  }
}
