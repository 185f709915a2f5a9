/** Forms: processes in a list, and all of one. docs/observer.md says what holds for all of them. */
import type { RecordingView } from './service.ts';
import type { ProcessRow } from './tree.ts';

/** `/api/processes?search=&kind=&state=&sort=&order=&limit=&after=`. */
export interface ProcessesView {
  readonly atMs: number;
  /** Of all that live. */
  readonly total: number;
  /** Those that match; `rows` has at most `limit` of them. */
  readonly matched: number;
  readonly rows: readonly ProcessRow[];
  /** For `after`; null behind the last page. */
  readonly next: string | null;
  /** All kinds that there are, for a choice. */
  readonly kinds: readonly string[];
}

/** `/api/process?pid=`; 404 `unknown_process` when there is no such process, then `death` may tell its end. */
export interface ProcessView extends ProcessRow {
  readonly atMs: number;
  /** From the root down to its supervisor. */
  readonly ancestors: readonly ProcessLink[];
  readonly names: readonly string[];
  readonly tags: readonly string[];
  /** xstate's: a text, or an object by region. For a chart. */
  readonly stateValue: unknown;
  /** JSON, shortened where it is long; null for a port. */
  readonly context: string | null;
  readonly links: readonly ProcessLink[];
  readonly monitors: readonly ProcessLink[];
  readonly monitoredBy: readonly ProcessLink[];
  /** At most 100. */
  readonly timers: readonly { readonly name: string; readonly leftForMs: number; readonly content: string }[];
  readonly tables: readonly string[];
  /** Of a supervisor. */
  readonly supervision: SupervisionView | null;
  /** Of a Consumer or a Materializer. */
  readonly shape: string | null;
  /** Newest first, at most 50; recorded while somebody looks. */
  readonly transitions: readonly TransitionView[];
  /** The last that reached it, newest first, at most 20; recorded while somebody looks. */
  readonly events: readonly MessageView[];
  readonly recording: RecordingView;
}

/** Another process; `kind` and `state` are null when it has ended. Links and monitors are shown up to 100. */
export interface ProcessLink {
  /** A pid, or the name by which it is known. */
  readonly address: string;
  readonly pid: string | null;
  readonly kind: string | null;
  readonly state: string | null;
}

export interface SupervisionView {
  /** `one_for_one`, `one_for_all`, `rest_for_one`; `dynamic` of children that come and go. */
  readonly strategy: string;
  readonly intensity: IntensityView;
}

export interface IntensityView {
  readonly maxRestarts: number;
  readonly maxSeconds: number;
  /** Restarts that count at present; one more than `maxRestarts` and it gives up. */
  readonly used: number;
  readonly left: number;
}

export interface TransitionView {
  /** In the order of the recording. */
  readonly n: number;
  readonly atMs: number;
  readonly pid: string;
  readonly event: string;
  /** Null for the first state, or when the state before was not recorded. */
  readonly from: string | null;
  readonly to: string;
}

export interface MessageView {
  readonly n: number;
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
  readonly type: string;
  /** Its fields as JSON, shortened where it is long. */
  readonly text: string;
}
