/**
 * ServiceEvents: what the service tells the program around it.
 *
 * It is told from within processes, which must neither wait for a listener nor fail over one: so each listener is called a moment
 * later, by itself, and what it throws is a line in the log.
 */
import type { Handle, ShapeDefinition } from '../model/shape.ts';
import type { ServiceEventMap, ServiceListener } from './event-types.ts';
import type { ShapeLives } from './wiring/tables.ts';

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

  restoring(restored: number, of: number): void {
    this.emit('restoring', { restored, of });
  }

  private tell(name: 'shape.started' | 'shape.ended', handle: Handle, { relation, where }: ShapeDefinition): void {
    if ((this.listeners.get(name)?.size ?? 0) === 0) return;
    this.emit(name, { handle, schema: relation.schema, table: relation.name, where: where?.text });
  }
}
