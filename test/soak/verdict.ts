/**
 * The verdict over a soak: nothing may have grown by more than a tenth since the service had run for a while. Medians of windows are
 * compared, for what is compacted, collected and rotated rises and falls.
 */
import type { Footprint } from './footprint.ts';

export interface Sample extends Footprint {
  /** Seconds since the first one. */
  readonly atSeconds: number;
}

export const GROWTH_MAX = 1.1;

/** What is judged, and how much more of it is nothing yet: a count of few goes up by a tenth with the next one. */
const JUDGED = {
  resident: 0,
  heap: 0,
  disk: 0,
  shapes: 0,
  files: 10,
  directories: 256, // Of the shapes' files: made as they are needed, and never removed.
  descriptors: 10,
} as const satisfies Partial<Record<keyof Footprint, number>>;

export type Judged = keyof typeof JUDGED;

export interface Judgement {
  readonly what: Judged;
  readonly early: number;
  readonly late: number;
  /** Of two windows, one may have no sample: then nothing is known. */
  readonly verdict: 'kept' | 'has grown' | 'not measured';
}

export interface Windows {
  /** Seconds until the first one begins. */
  readonly settleSeconds: number;
  /** How long both are; the second one is the last of the run. */
  readonly windowSeconds: number;
}

export function judge(samples: readonly Sample[], { settleSeconds, windowSeconds }: Windows): readonly Judgement[] {
  const endSeconds = samples.at(-1)?.atSeconds ?? 0;
  const within = (from: number): readonly Sample[] =>
    samples.filter(({ atSeconds }) => atSeconds >= from && atSeconds <= from + windowSeconds);
  const [early, late] = [within(settleSeconds), within(endSeconds - windowSeconds)];
  return Object.entries(JUDGED).map(([name, slack]) => {
    const what = name as Judged;
    const was = median(early.map((sample) => sample[what]));
    const is = median(late.map((sample) => sample[what]));
    const isMeasured = early.length > 0 && late.length > 0;
    const grown = is <= GROWTH_MAX * was + slack ? 'kept' : 'has grown';
    return { what, early: was, late: is, verdict: isMeasured ? grown : 'not measured' };
  });
}

/** Readers held the rows of their tables, at least once; the service stopped in good order; and all that is judged was kept. */
export function isPassed(
  { comparisons, exitCode }: { readonly comparisons: number; readonly exitCode: number | null },
  judgements: readonly Judgement[],
): boolean {
  return comparisons > 0 && exitCode === 0 && judgements.every(({ verdict }) => verdict === 'kept');
}

export function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? 0;
}
