/** What the service tells the program around it, by the names of the events. */

/** How the service stands. */
export interface StatusEvent {
  /** As `/v1/health` says it. */
  readonly level: 'starting' | 'waiting' | 'active';
}

/** A shape: whose handle, and what it selects. */
export interface ShapeEvent {
  /** As clients have it; never given out twice. */
  readonly handle: string;
  /** Of its table, without quotes. */
  readonly schema: string;
  /** Without its schema and without quotes. */
  readonly table: string;
  /** As it was written; undefined for every row. */
  readonly where: string | undefined;
}

/** How many stored shapes are back. */
export interface RestoringEvent {
  /** Those that can be followed again. */
  readonly restored: number;
  /** All that were stored, without those that could not come back. */
  readonly of: number;
}

/** The end of the service. */
export interface EndedEvent {
  /** Why it gave up; undefined after `stop`. */
  readonly failure: string | undefined;
}

/** What is told, by the name of the event. */
export interface ServiceEventMap {
  /** It has lost something that it needs, or restarts a part; stored shapes may be readable meanwhile. */
  readonly starting: StatusEvent;
  /** Another instance has the lock: stored shapes can be read, and nothing new comes. */
  readonly waiting: StatusEvent;
  /** It follows the database. */
  readonly active: StatusEvent;
  /** Stored shapes come back: told when that begins, whenever a hundred more are back, and when all are. */
  readonly restoring: RestoringEvent;
  /** A client has asked for what nobody had asked for before. */
  readonly 'shape.started': ShapeEvent;
  /** A shape is over: deleted, or its table has changed, or it could not go on. Its clients are told to start over. */
  readonly 'shape.ended': ShapeEvent;
  /** Nothing of the service is left. */
  readonly ended: EndedEvent;
}

/** Is told of one event. What it throws, or its promise rejects with, is written into the log. */
export type ServiceListener<Name extends keyof ServiceEventMap> = (event: ServiceEventMap[Name]) => unknown;
