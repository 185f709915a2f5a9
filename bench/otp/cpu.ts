/**
 * Processor time per operation, of all threads: what the collector did counts, what another process did does not.
 *
 * Rubbish of one batch must not be paid for by the next, so each begins with a collection when there is one to call
 * (`--expose-gc`). The first batches are thrown away: they measure the compiler.
 */
const WARM_UP_BATCHES = 2;

export interface Batches {
  readonly batches: number;
  /** Operations in each. */
  readonly count: number;
}

export function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** @returns microseconds of processor time per operation, one figure for each batch. */
export async function cpuMicrosEach({ batches, count }: Batches, run: (count: number) => Promise<void> | void): Promise<readonly number[]> {
  const figures: number[] = [];
  for (let batch = -WARM_UP_BATCHES; batch < batches; batch += 1) {
    globalThis.gc?.();
    const before = cpuMicros();
    await run(count);
    if (batch >= 0) figures.push((cpuMicros() - before) / count);
  }
  return figures;
}

export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle) - 1] ?? NaN)) / 2;
}
