/**
 * Forms: the service itself, refusals, and the recording. Of this folder each file has the answers of some URLs below `/_observer/api`;
 * docs/observer.md has the URLs, and what holds for all of them.
 */

/** Every answer that is no success, with a status of 400, 401, 403, 404 or 503. */
export interface ErrorView {
  /** Stable, for programs: `unknown_process`, `invalid_parameter`, … */
  readonly code: string;
  /** A sentence for people. */
  readonly message: string;
}

/** `/api/service`: what the page asks first. */
export interface ServiceView {
  readonly atMs: number;
  readonly version: string;
  readonly sinceMs: number;
  /** As `/v1/health` says it. */
  readonly level: 'starting' | 'waiting' | 'active';
  /** What is waited for, in words; null when active. */
  readonly whyNotActive: string | null;
  /** In the demo alone processes can be ended: `POST /_observer/api/end`. */
  readonly canEnd: boolean;
  readonly processes: number;
  readonly shapes: number;
  readonly deaths: number;
  readonly recording: RecordingView;
}

/**
 * The ring of what was recorded. Recording begins with the first look at messages, transitions or events, and ends some time
 * after the last one; what happened at other times is not in it.
 */
export interface RecordingView {
  readonly isOn: boolean;
  /** Since when it has been on; null when it is off. */
  readonly sinceMs: number | null;
  /** The oldest and the newest record that the ring still has; null when it is empty. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly records: number;
  readonly bytes: number;
}
