/**
 * ServiceEvents: what the service tells the program around it.
 *
 * It is told from within processes, which must neither wait for a listener nor fail over one: so each listener is called a moment
 * later, by itself, and what it throws is a line in the log.
 */
import type { Handle, ShapeDefinition } from '../model/shape.ts';
import type { ShapeLives } from './wiring/tables.ts';

/** How the service stands. */
export interface StatusEvent {
  readonly level: 'starting' | 'waiting' | 'active';
}

/** A shape: whose handle, and what it selects. */
export interface ShapeEvent {
  readonly handle: string;
  readonly schema: string;
  readonly table: string;
  /** As it was written; undefined for every row. */
  readonly where: string | undefined;
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
  /** A client has asked for what nobody had asked for before. */
  readonly 'shape.started': ShapeEvent;
  /** A shape is over: deleted, or its table has changed, or it could not go on. Its clients are told to start over. */
  readonly 'shape.ended': ShapeEvent;
  /** Nothing of the service is left. */
  readonly ended: EndedEvent;
}

/** Is told of one event. What it throws, or its promise rejects with, is written into the log. */
export type ServiceListener<Name extends keyof ServiceEventMap> = (event: ServiceEventMap[Name]) => unknown;

export class ServiceEvents implements ShapeLives {
  private readonly listeners = new Map<string, Set<(event: never) => unknown>>();

  /** @param failed told of what a listener throws. */
  constructor(private readonly failed: (error: unknown, name: string) => void) {}

  /** @returns how to end it. */
  on<Name extends keyof ServiceEventMap>(name: Name, listener: ServiceListener<Name>): () => void {
    const listeners = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, listeners);
    const own = (event: ServiceEventMap[Name]): unknown => listener(event); // Whoever listens twice is told twice.
    listeners.add(own);
    return () => void listeners.delete(own);
  }

  emit<Name extends keyof ServiceEventMap>(name: Name, event: ServiceEventMap[Name]): void {
    for (const listener of this.listeners.get(name) ?? []) {
      Promise.resolve(event as never).then(listener).catch((error: unknown) => this.failed(error, name));
    }
  }

  started(handle: Handle, definition: ShapeDefinition): void {
    this.tell('shape.started', handle, definition);
  }

  ended(handle: Handle, definition: ShapeDefinition): void {
    this.tell('shape.ended', handle, definition);
  }

  private tell(name: 'shape.started' | 'shape.ended', handle: Handle, { relation, where }: ShapeDefinition): void {
    if ((this.listeners.get(name)?.size ?? 0) === 0) return;
    this.emit(name, { handle, schema: relation.schema, table: relation.name, where: where?.text });
  }
}
