/** Sources: where the observer looks. Narrow ports, wired by the service; reading them changes nothing. */
import type { Clock } from '../base/clock.ts';
import type { LogEntry } from '../model/log-entry.ts';
import type { LogPosition } from '../model/log-position.ts';
import type { LogOffset } from '../model/log-offset.ts';
import type { Handle } from '../model/shape.ts';
import type { Runtime } from '../otp/runtime.ts';
import type { ShapeLog } from '../storage/shapes/shape-logs.ts';
import type { PageFile } from './pages/page-file.ts';
import type { PlotSeries } from './views/plots.ts';
import type { LockHolder, PostgresView } from './views/postgres.ts';
import type { ServiceView } from './views/service.ts';
import type { LimitsView } from './views/shapes.ts';

export type ObservedRuntime = Pick<
  Runtime,
  'processInfo' | 'processes' | 'standing' | 'machineOf' | 'load' | 'tableOf' | 'trace' | 'ends' | 'lifecycle' | 'exit'
>;

export interface ObserverSources {
  readonly runtime: ObservedRuntime;
  readonly clock: Clock;
  readonly service: {
    readonly version: string;
    level(): ServiceView['level'];
    /** Undefined when it is active. */
    whyNotActive(): Promise<string | undefined>;
  };
  readonly shapes: ShapeSource;
  readonly postgres: PostgresSource;
  /** The newest value of each series that must be asked for, once a second. */
  sample(): Readonly<Partial<Record<PlotSeries['name'], number>>>;
  /** A file of the page by its whole path; undefined when there is none. */
  file(path: string): PageFile | undefined;
}

/** A shape's log, for reading alone. */
export type SeenShape = Pick<
  ShapeLog,
  'handle' | 'definition' | 'dependsOn' | 'isInner' | 'end' | 'position' | 'waitsAt' | 'restsAt' | 'snapshot' | 'lineBytes' | 'views'
>;

export interface ShapeSource {
  all(): Iterable<SeenShape>;
  /**
   * What lies behind `after` in the shape's log, up to its end, in steps that hold nobody up; undefined when there is no such shape.
   *
   * @throws {ShapeGoneError | ShapeCorruptError} as a read does.
   */
  entries(handle: Handle, after: LogOffset): AsyncIterable<Iterable<LogEntry>> | undefined;
  get(handle: Handle): SeenShape | undefined;
  readersOf(handle: Handle): number;
  /** Up to where the values of a dependency have come; undefined while nobody keeps them. */
  valuesEnd(inner: Handle, column: string): LogOffset | undefined;
  /** Undefined where none is set. */
  limits(): LimitsView | undefined;
  readonly position: LogPosition;
  readonly releasable: LogPosition;
  readonly durableEnd: LogPosition;
}

/** What the service knows, and what Postgres says when it is asked. */
export interface PostgresSource {
  /** Why Postgres could not be asked is in it. Asked at most once a second, whoever asks. @throws what is no refusal of Postgres's. */
  view(): Promise<PostgresFacts>;
  /** Somebody looks at what the slot retains: asked at most once a second, for the next sample. @throws as `view` does. */
  lookAtRetained(): Promise<void>;
}

export type PostgresFacts = Omit<PostgresView, 'atMs' | 'connections' | 'pinnedBy' | 'lock'> & {
  readonly holder: Omit<LockHolder, 'isOurs'> | null;
}
