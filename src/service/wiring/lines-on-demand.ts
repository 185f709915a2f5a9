/**
 * LinesOnDemand: what makes a shape's lines, for as long as its Consumer is awake.
 *
 * Most Consumers wait, and what makes lines holds the parsed filter. One with a subquery is larger than all else that there is of a process
 * that waits, and is parsed in much less time than such a Consumer has waited. One without is small, and a row that ten thousand shapes
 * have would have all of them parsed.
 */
import type { ConsumerLines } from '../../actors/consumer/consumer-ports.ts';
import type { ChangeConverter } from '../../shapes/change-converter.ts';
import type { ShapeLog } from '../../storage/shapes/shape-logs.ts';
import { linesOf, type LogAccess } from './storage.ts';

export class LinesOnDemand implements ConsumerLines {
  private made: ChangeConverter | undefined;

  constructor(
    private readonly shapeLog: ShapeLog,
    private readonly access: LogAccess,
  ) {}

  hibernate(): void {
    if (this.shapeLog.definition.dependencies !== undefined) this.made = undefined;
  }

  convert(...args: Parameters<ChangeConverter['convert']>): ReturnType<ChangeConverter['convert']> {
    return this.lines.convert(...args);
  }

  askedRows(...args: Parameters<ChangeConverter['askedRows']>): ReturnType<ChangeConverter['askedRows']> {
    return this.lines.askedRows(...args);
  }

  moveEvent(...args: Parameters<ChangeConverter['moveEvent']>): ReturnType<ChangeConverter['moveEvent']> {
    return this.lines.moveEvent(...args);
  }

  lastMovedLine(...args: Parameters<ChangeConverter['lastMovedLine']>): ReturnType<ChangeConverter['lastMovedLine']> {
    return this.lines.lastMovedLine(...args);
  }

  snapshotEnd(...args: Parameters<ChangeConverter['snapshotEnd']>): ReturnType<ChangeConverter['snapshotEnd']> {
    return this.lines.snapshotEnd(...args);
  }

  private get lines(): ChangeConverter {
    return (this.made ??= linesOf(this.shapeLog, this.access));
  }
}
