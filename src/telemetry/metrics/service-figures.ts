/** ServiceFigures: what is read of the service when it is scraped. The wiring reads it from what there is; nobody keeps it for us. */
import type { ProcessFigures } from '../../otp/kernel/process-summary.ts';

export const STATUSES = ['starting', 'waiting', 'active'] as const;
export const SHAPE_LIVES = ['reserved', 'starting', 'live', 'dormant', 'condemned'] as const;
export const REQUEST_KINDS = ['initial', 'existing'] as const;

export type ByKind = Readonly<Record<(typeof REQUEST_KINDS)[number], number>>;

export interface ServiceFigures {
  readonly status: (typeof STATUSES)[number];
  readonly isPostgresUp: boolean;
  /** Its connections are closed, because nobody uses it. */
  readonly isPostgresAsleep: boolean;
  readonly admitted: ByKind;
  readonly admissionLimits: ByKind;
  /** Since the start. */
  readonly refused: ByKind;
  readonly parked: number;
  readonly log: LogFigures;
  readonly stored: StoredFigures;
  /** Undefined where no limit is set. */
  readonly limits: LimitFigures | undefined;
  /** Undefined while the shapes are being rebuilt. */
  readonly shapes: ShapeFigures | undefined;
  readonly processes: Iterable<ProcessFigures>;
}

export const STORED_KINDS = ['log', 'checkpoints', 'snapshots', 'lines'] as const;

/** Bytes. */
export type StoredFigures = Readonly<Record<(typeof STORED_KINDS)[number], number>> & { readonly limit: number | undefined };

export interface LimitFigures {
  readonly shapesMax: number | undefined;
  /** Since the start. */
  readonly ended: number;
  /** Likewise. */
  readonly refused: number;
}

export interface LogFigures {
  readonly bytes: number;
  readonly segments: number;
  /** Durable, and not taken by the shapes. */
  readonly untakenBytes: number;
  /** Durable, and needed still. */
  readonly neededBytes: number;
  readonly unsavedBytes: number;
  /** By code: how often the disk has refused something, since the start. */
  readonly refusals: ReadonlyMap<string, number>;
}

export interface ShapeFigures {
  readonly served: number;
  readonly lives: Readonly<Record<(typeof SHAPE_LIVES)[number], number>>;
  /** Since the shapes were started. */
  readonly ended: number;
}
