/** Shapes' logs in memory: a checkpoint has nothing to do, and what was forgotten is gone. */
import { Copies, type Fork } from '../../base/fork.ts';
import type { LogPosition } from '../../model/log-position.ts';
import type { Handle, ShapeDefinition } from '../../model/shape.ts';
import type { MemoryLog } from '../log/memory-log.ts';
import type { ShapeLog, ShapeLogs } from './shape-logs.ts';
import type { ShapeTable } from './shape-table.ts';

export class MemoryShapeLogs implements ShapeLogs {
  private readonly copies = new Copies<MemoryShapeLogs>();

  /** @param log that of the table. */
  constructor(
    private readonly table: ShapeTable,
    private readonly log: MemoryLog,
  ) {}

  get position(): LogPosition {
    return this.table.position;
  }

  get releasable(): LogPosition {
    return this.table.releasable();
  }

  get checkpointBytes(): number {
    return 0;
  }

  get unsavedBytes(): number {
    return 0;
  }

  get isHeldUp(): boolean {
    return false;
  }

  get leftCount(): number {
    return 0;
  }

  /** Never: nothing can be saved. */
  whenUnsaved(_bytesMax: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  advance(position: LogPosition): void {
    this.table.advance(position);
  }

  create(handle: Handle, definition: ShapeDefinition, dependsOn?: readonly Handle[], isInner?: boolean): ShapeLog {
    return this.table.create(handle, definition, dependsOn, isInner);
  }

  get(handle: Handle): ShapeLog | undefined {
    return this.table.get(handle);
  }

  get count(): number {
    return this.table.count;
  }

  all(): Iterable<ShapeLog> {
    return this.table.all();
  }

  dependantsOf(handle: Handle): Iterable<ShapeLog> {
    return this.table.dependantsOf(handle);
  }

  delete(handle: Handle, why: string): void {
    this.table.remove(handle, why);
  }

  clone(fork: Fork): MemoryShapeLogs {
    return this.copies.of(fork, () => {
      const log = this.log.clone(fork);
      return new MemoryShapeLogs(this.table.clone(log), log);
    });
  }

  /** They stay where they are: there is no other place. */
  async spill(): Promise<void> {}

  async checkpoint(): Promise<void> {
    for (const shape of this.table.takeDirty()) await shape.saved(shape.capture().state);
  }

  async close(): Promise<void> {
    for (const shape of this.table.all()) {
      shape.remove();
      shape.cut();
    }
  }
}
