/**
 * ServiceMetrics: all that is told to Prometheus. What passes is counted as it passes; what is so at a moment is read at the scrape, so
 * that a service that nobody scrapes pays for no reading. With ten thousand shapes a scrape walks over their processes once.
 */
import type { Clock } from '../../base/clock.ts';
import { VERSION } from '../../base/version.ts';
import type { SlotFigures } from '../../postgres/replication/slot-figures.ts';
import { censusOf } from '../process-census.ts';
import { LoopWatch, programFigures } from '../program-load.ts';
import { makeMetrics, type MadeMetrics } from './made-metrics.ts';
import {
  REQUEST_KINDS, SHAPE_LIVES, STATUSES, STORED_KINDS, type LimitFigures, type LogFigures, type ServiceFigures, type ShapeFigures,
  type StoredFigures,
} from './service-figures.ts';

export interface MetricsSource {
  /** What is in memory. */
  figures(): ServiceFigures;
  /** Of Postgres, bounded in time; undefined while it does not answer. */
  slot(): Promise<SlotFigures | undefined>;
}

export class ServiceMetrics {
  /** To count with. */
  readonly made: MadeMetrics;
  private readonly registry;
  private readonly loop = new LoopWatch();
  private scraping: Promise<string> | undefined;

  constructor(private readonly clock: Pick<Clock, 'nowMs' | 'epochMicros'>) {
    ({ registry: this.registry, made: this.made } = makeMetrics());
    this.made.build.set({ version: VERSION }, 1);
    this.made.startTime.set(clock.epochMicros() / 1_000_000 - process.uptime());
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** In Prometheus's text format. Who asks while another scrape is under way gets the same. */
  scrape(source: MetricsSource): Promise<string> {
    this.scraping ??= this.read(source).finally(() => (this.scraping = undefined));
    return this.scraping;
  }

  close(): void {
    this.loop.close();
  }

  private async read(source: MetricsSource): Promise<string> {
    const startedMs = this.clock.nowMs();
    this.tellSlot(await source.slot());
    const figures = source.figures();
    this.tellService(figures);
    this.tellLog(figures.log);
    this.tellStored(figures.stored);
    this.tellLimits(figures.limits);
    this.tellShapes(figures.shapes);
    this.tellProcesses(figures);
    this.tellProgram();
    const text = await this.registry.metrics();
    this.made.scrapeSeconds.set((this.clock.nowMs() - startedMs) / 1000);
    return text;
  }

  private tellService({ status, isPostgresUp, isPostgresAsleep, admitted, admissionLimits, refused, parked }: ServiceFigures): void {
    const { made } = this;
    made.postgresAsleep.set(isPostgresAsleep ? 1 : 0);
    for (const each of STATUSES) made.status.set({ status: each }, each === status ? 1 : 0);
    made.postgresUp.set(isPostgresUp ? 1 : 0);
    made.liveParked.set(parked);
    made.refused.reset();
    for (const kind of REQUEST_KINDS) {
      made.admitted.set({ kind }, admitted[kind]);
      made.admissionLimit.set({ kind }, admissionLimits[kind]);
      made.refused.inc({ kind }, refused[kind]);
    }
  }

  private tellLog({ bytes, segments, untakenBytes, neededBytes, unsavedBytes, refusals }: LogFigures): void {
    const { made } = this;
    made.logBytes.set(bytes);
    made.logSegments.set(segments);
    made.logBehind.set(untakenBytes);
    made.logPinned.set(neededBytes);
    made.unsaved.set(unsavedBytes);
    made.storageRefused.reset();
    for (const [code, count] of refusals) made.storageRefused.inc({ code }, count);
  }

  private tellStored(stored: StoredFigures): void {
    const { storageBytes, storageBytesMax } = this.made;
    for (const kind of STORED_KINDS) storageBytes.set({ kind }, stored[kind]);
    storageBytesMax.remove();
    if (stored.limit !== undefined) storageBytesMax.set(stored.limit);
  }

  private tellLimits(limits: LimitFigures | undefined): void {
    const { shapesMax, limitEnds, limitRefusals } = this.made;
    for (const metric of [shapesMax, limitEnds, limitRefusals]) metric.remove();
    if (limits === undefined) return;
    if (limits.shapesMax !== undefined) shapesMax.set(limits.shapesMax);
    limitEnds.inc(limits.ended);
    limitRefusals.inc(limits.refused);
  }

  /** While there is nobody to ask, nothing is told: a zero would be read as the loss of all shapes. */
  private tellShapes(shapes: ShapeFigures | undefined): void {
    const { totalShapes, shapes: lives, shapesEnded } = this.made;
    totalShapes.remove();
    lives.reset();
    shapesEnded.remove();
    if (shapes === undefined) return;
    totalShapes.set(shapes.served);
    for (const life of SHAPE_LIVES) lives.set({ life }, shapes.lives[life]);
    shapesEnded.inc(shapes.ended);
  }

  /** A kind that has nobody left is told no more. */
  private tellProcesses({ processes }: ServiceFigures): void {
    const { processes: counts, hibernating, mailboxMax, mailboxSum, activeShapes } = this.made;
    for (const metric of [counts, hibernating, mailboxMax, mailboxSum]) metric.reset();
    const census = censusOf(processes);
    for (const { kind, ...population } of census.values()) {
      counts.set({ kind }, population.count);
      hibernating.set({ kind }, population.hibernating);
      mailboxMax.set({ kind }, population.mailboxMax);
      mailboxSum.set({ kind }, population.mailboxSum);
    }
    const consumers = census.get('consumer');
    activeShapes.set(consumers === undefined ? 0 : consumers.count - consumers.hibernating);
  }

  /** What Postgres does not say now is told no more: an old value would be taken for one that stands. */
  private tellSlot(slot: SlotFigures | undefined): void {
    const { walOffset, walRetained, flushLag, slotActive, slotSafe } = this.made;
    for (const metric of [walOffset, walRetained, flushLag, slotActive, slotSafe]) metric.remove();
    if (slot === undefined) return;
    walOffset.set(slot.walOffset);
    walRetained.set(slot.retainedBytes);
    flushLag.set(slot.flushLagBytes);
    slotActive.set(slot.isActive ? 1 : 0);
    if (slot.safeBytes !== undefined) slotSafe.set(slot.safeBytes);
  }

  private tellProgram(): void {
    const { made } = this;
    const { cpuSeconds, residentBytes, heapUsedBytes, heapTotalBytes, externalBytes } = programFigures();
    made.cpu.reset();
    made.cpu.inc(cpuSeconds);
    made.resident.set(residentBytes);
    made.heapUsed.set(heapUsedBytes);
    made.heapTotal.set(heapTotalBytes);
    made.external.set(externalBytes);
    const { mean, p99, max } = this.loop.take();
    made.loopLagMean.set(mean);
    made.loopLagP99.set(p99);
    made.loopLagMax.set(max);
  }
}
