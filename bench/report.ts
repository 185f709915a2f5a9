/** A measured way of moving rows, and how it is printed. */
export interface Measurement {
  readonly what: string;
  readonly rows: number;
  readonly elapsedMs: number;
  /** Processor time of the measured process alone; undefined where it is Postgres's. */
  readonly cpuMicros?: number;
  readonly peakMemoryBytes?: number;
  /** How many times longer this took than the floor of the same run. */
  readonly timesFloor?: number;
}

export function printTitle(title: string): void {
  process.stdout.write(`\n${title}\n`);
}

export function printRow({ what, rows, elapsedMs, cpuMicros, peakMemoryBytes, timesFloor }: Measurement): void {
  const cells = [
    what.padEnd(44),
    `${Math.round((rows / elapsedMs) * 1000)} rows/s`.padStart(16),
    `${(elapsedMs / 1000).toFixed(2)} s`.padStart(10),
    cpuMicros === undefined ? '' : `${(cpuMicros / rows).toFixed(2)} CPU µs/row`.padStart(20),
    timesFloor === undefined ? '' : `${timesFloor.toFixed(2)} × the floor`.padStart(18),
    peakMemoryBytes === undefined ? '' : `${Math.round(peakMemoryBytes / 2 ** 20)} MiB at most`.padStart(18),
  ];
  process.stdout.write(`  ${cells.join('').trimEnd()}\n`);
}
