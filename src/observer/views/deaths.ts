/** Forms: cards of processes that have ended. docs/observer.md says what holds for all of them. */
import type { IntensityView, MessageView, ProcessLink } from './processes.ts';

/** `/api/deaths?limit=&after=`: newest first. */
export interface DeathsView {
  readonly atMs: number;
  /** Since the service started; the cards are the newest of those that were faults, and of all others the newest ones. */
  readonly faults: number;
  readonly ends: number;
  readonly deaths: readonly DeathView[];
  readonly next: string | null;
}

export interface DeathView {
  readonly n: number;
  readonly atMs: number;
  readonly pid: string;
  readonly id: string;
  readonly kind: string;
  readonly machine: string | null;
  readonly name: string | null;
  readonly label: string | null;
  readonly reason: ReasonView;
  /** It ended otherwise than by finishing, or by being asked to. */
  readonly isFault: boolean;
  /** In which state it was; null for one that never began. */
  readonly stateBefore: string | null;
  readonly stateValue: unknown;
  /** What it was handling; null when it ended by a signal from outside (a kill, the end of its supervisor), or for a port. */
  readonly lastEvent: string | null;
  readonly context: string | null;
  readonly livedForMs: number;
  readonly handled: number;
  readonly restarts: number;
  /** Null for a root. */
  readonly supervisor: ProcessLink | null;
  readonly decision: DecisionView;
  /** Newest first, at most 20. */
  readonly lastEvents: readonly MessageView[];
  /** False: nobody looked at the time, so that only `lastEvent` is known. */
  readonly areEventsRecorded: boolean;
}

export interface ReasonView {
  /** `normal`, `shutdown`, `killed`, or in words. */
  readonly text: string;
  readonly error: { readonly name: string; readonly message: string; readonly stack: string | null } | null;
}

export interface DecisionView {
  /**
   * `restarted`: `restartedAs` is the next process. `left`: it is not started again, or was told to end. `gaveUp`: one restart too
   * many, the supervisor ended too. `pending`: a restart is under way, or was tried and failed, and will be tried
   * again. `none`: nobody supervises it, or its supervisor is ending.
   */
  readonly type: 'restarted' | 'left' | 'gaveUp' | 'pending' | 'none';
  readonly restartedAs: string | null;
  readonly text: string;
  /** What is left of the supervisor's intensity behind this; null when that was not asked. */
  readonly intensity: IntensityView | null;
}
