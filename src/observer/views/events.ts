/** Forms: what the event stream says, and the end of a process. docs/observer.md says what holds for all of them. */
import type { DeathsView } from './deaths.ts';
import type { PlotsView } from './plots.ts';
import type { PopulationView, PopulationsView } from './populations.ts';
import type { ProcessView } from './processes.ts';
import type { ErrorView, ServiceView } from './service.ts';
import type { ShapeView } from './shapes.ts';
import type { TreeView } from './tree.ts';

/**
 * Each `data` of `/_observer/events?topic=` (server-sent events without a name): the topic as it was asked for, and its form. The
 * topics: `service`, `tree`, `populations`, `deaths`, `plots`, `process:PID`, `population:KIND`, `shape:HANDLE`.
 */
export type EventData =
  | { readonly topic: string; readonly view: ServiceView | TreeView | PopulationsView | DeathsView | PlotsView }
  | { readonly topic: string; readonly view: ProcessView | PopulationView | ShapeView }
  /** What the topic is about is not there, or not there any more. */
  | { readonly topic: string; readonly error: ErrorView };

/** `POST /_observer/api/end?pid=`, in the demo alone. */
export interface EndView {
  readonly pid: string;
  readonly ended: true;
}
