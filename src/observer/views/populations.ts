/** Forms: processes by kind. docs/observer.md says what holds for all of them. */
import type { RecordingView } from './service.ts';
import type { Population } from './tree.ts';

/** `/api/populations`: all processes, by kind; most numerous first. */
export interface PopulationsView {
  readonly atMs: number;
  readonly populations: readonly Population[];
}

/** `/api/population?kind=`; 404 `unknown_kind`. */
export interface PopulationView extends Population {
  readonly atMs: number;
  /** xstate's state value for each text in `byState` of which at least one process is; for a chart. */
  readonly stateValues: Readonly<Record<string, unknown>>;
  /** Transitions over the last `overForMs` by edge, most frequent first, at most 200. */
  readonly edges: readonly EdgeView[];
  readonly overForMs: number;
  readonly recording: RecordingView;
}

export interface EdgeView {
  readonly event: string;
  readonly from: string | null;
  readonly to: string;
  readonly count: number;
  readonly perSecond: number;
}
