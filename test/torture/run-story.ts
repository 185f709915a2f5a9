/** What was done to the database and to the service, in its order: the latest, for whoever reads about a finding. */
import { systemClock } from '../../src/base/clock.ts';

const LINES_MAX = 120;

export class RunStory {
  readonly lines: string[] = [];

  /** By both clocks: clients tell milliseconds, the service tells the time. */
  tell(what: string): void {
    const time = new Date(systemClock.wallMs()).toISOString().slice(11, 23);
    this.lines.push(`${Math.round(systemClock.nowMs())} ms, ${time}, ${what}`);
    if (this.lines.length > LINES_MAX) this.lines.shift();
  }
}
