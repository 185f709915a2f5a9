/** DirectoryPorts: what the directory of shapes needs from outside: their logs, a clock, and somebody who tells readers. */
import type { Clock } from '../../base/clock.ts';
import type { Forkable } from '../../base/fork.ts';
import type { Handle, ShapeDefinition } from '../../model/shape.ts';
import type { SnapshotState } from '../../storage/shapes/shape-logs.ts';

/** What the directory looks at of a shape's log. */
export interface ListedLog {
  readonly handle: Handle;
  readonly definition: ShapeDefinition;
  readonly dependsOn: readonly Handle[];
  /** Made for others, and no client has asked for it. */
  readonly isInner: boolean;
  noteRequest(): void;
  readonly snapshot: Pick<SnapshotState, 'state'>;
}

/** The shapes' logs, as far as the directory makes, finds and deletes them: `ShapeLogs`. */
export interface ListedLogs {
  create(handle: Handle, definition: ShapeDefinition, dependsOn: readonly Handle[], isInner: boolean): ListedLog;
  get(handle: Handle): ListedLog | undefined;
  all(): Iterable<ListedLog>;
  delete(handle: Handle, why: string): void;
}

export interface DirectoryPorts extends Forkable<DirectoryPorts> {
  readonly shapeLogs: ListedLogs;
  readonly clock: Pick<Clock, 'epochMicros'>;
  /** Why no shape of this definition can go on, though one was stored; undefined where it can. */
  readonly faultOf: (definition: ShapeDefinition) => string | undefined;
  /** Whether a stored shape needs no Consumer before something touches it, as far as its log says. Never, where all are to be followed. */
  readonly mayRest: (handle: Handle) => boolean;
  /** Told when the Consumer of a new shape is there; not when it comes back. */
  readonly started?: (handle: Handle) => void;
  /** Told when stored shapes begin to come back, whenever many more are back, and when all are. */
  readonly restoring?: (restored: number, of: number) => void;
  /** Told whenever a handle stops serving its definition, while its log is still there. */
  readonly rotated: (handle: Handle) => void;
}
