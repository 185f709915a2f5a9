/**
 * BoundedLines: the log for who may not read it. What goes into a pipe that is full waits in our memory, without end; so beyond a bound
 * lines are dropped, and how many is said when there is room again.
 */
import type { Clock } from '../../base/clock.ts';
import { jsonLine } from '../terminal.ts';

/** Where it goes: a stream of Node, as far as it matters here. */
export interface LineOutput {
  write(text: string): unknown;
  /** What waits to be read, in bytes. */
  readonly writableLength: number;
}

/** Some forty thousand lines. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024;

export class BoundedLines {
  private droppedCount = 0;

  constructor(
    private readonly output: LineOutput,
    private readonly clock: Pick<Clock, 'epochMicros'>,
  ) {}

  /** @param line whole. */
  write(line: string): void {
    if (this.output.writableLength >= WAITING_BYTES_MAX) {
      this.droppedCount += 1;
      return;
    }
    if (this.droppedCount > 0) this.output.write(this.dropped());
    this.droppedCount = 0;
    this.output.write(line);
  }

  /** As a line of the log. */
  private dropped(): string {
    const time = new Date(this.clock.epochMicros() / 1000).toISOString();
    return jsonLine({ level: 'warn', time, count: this.droppedCount, msg: 'log.dropped' });
  }
}
