/** What a run has measured, where, and when. */
import type { Verdict } from './verdict.ts';

export interface Result {
  readonly name: string;
  readonly sentence: string;
  readonly size: number;
  readonly unit: string;
  readonly limit?: string;
  /** Processes that wanted a processor when it began, over the last minute. */
  readonly load: number;
  readonly figures: readonly Verdict[];
  /** Why there are no figures. */
  readonly failure?: string;
}

export interface Run {
  readonly commit: string;
  readonly date: string;
  readonly node: string;
  readonly processors: string;
  readonly rounds: number;
  readonly results: readonly Result[];
}
