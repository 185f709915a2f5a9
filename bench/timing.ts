/** How long something takes, how much of the processor it takes, and when a service has come to rest. */
import { systemClock } from '../src/base/clock.ts';
import { invariant } from '../src/base/invariant.ts';
import type { ProcessUsage } from './process-usage.ts';

const ASK_EVERY_MS = 50;
/** What a service that waits may use in a quiet time: timers, and the ticks in which the kernel counts. */
const QUIET_MICROS = 10_000;
export const QUIET_MS = 500;
const REST_WITHIN_MS = 600_000;

/** A process of ours, the service or another. */
export interface Measured {
  usage(): ProcessUsage;
  /** How long it has nothing to do before it counts as at rest. */
  readonly quietMs: number;
}

export interface Spent {
  readonly elapsedMs: number;
  readonly cpuMicros: number;
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = systemClock.nowMs();
  await work();
  return systemClock.nowMs() - startedMs;
}

/** Until the work is done. */
export async function spentDuring(measured: Measured, work: () => Promise<unknown>): Promise<Spent> {
  const before = measured.usage().cpuMicros;
  const elapsedMs = await timed(work);
  return { elapsedMs, cpuMicros: measured.usage().cpuMicros - before };
}

/** Until the service has nothing to do any more because of the work; the quiet time in which that is seen does not count as elapsed. */
export async function spentUntilRest(measured: Measured, work: () => Promise<unknown>): Promise<Spent> {
  const before = measured.usage().cpuMicros;
  const startedMs = systemClock.nowMs();
  await work();
  let busy = { atMs: systemClock.nowMs(), cpuMicros: measured.usage().cpuMicros };
  while (systemClock.nowMs() - busy.atMs < measured.quietMs) {
    invariant(systemClock.nowMs() - startedMs < REST_WITHIN_MS, 'the service comes to rest');
    await pause(ASK_EVERY_MS);
    const { cpuMicros } = measured.usage();
    if (cpuMicros - busy.cpuMicros > QUIET_MICROS) busy = { atMs: systemClock.nowMs(), cpuMicros };
  }
  return { elapsedMs: busy.atMs - startedMs, cpuMicros: measured.usage().cpuMicros - before };
}

/** Until the process has nothing to do. */
export async function comeToRest(measured: Measured): Promise<void> {
  await spentUntilRest(measured, () => Promise.resolve());
}

export function pause(ms: number): Promise<void> {
  return new Promise((done) => {
    systemClock.setTimer(done, ms);
  });
}

/** @param share 0.5 is the median. */
export function quantile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((left, right) => left - right);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}

export function median(figures: readonly number[]): number {
  return quantile(figures, 0.5);
}
