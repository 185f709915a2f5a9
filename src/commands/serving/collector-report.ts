/** CollectorReport: for who collects lines. The log goes to stdout as always; the demo says what it is at, and what to try. */
import { inspectionText } from './inspection-text.ts';
import { STEP_TEXTS, type Started, type StartReport, type Step } from './start-report.ts';

/** Of these nobody writes a line of the log. */
const TOLD: readonly Step['what'][] = ['cluster', 'postgres'];

export class CollectorReport implements StartReport {
  readonly logLines = undefined;

  constructor(private readonly write: (text: string) => void) {}

  step({ what }: Step): void {
    if (TOLD.includes(what)) this.say(STEP_TEXTS[what]);
  }

  started(): void {} // The log says so.

  ready(service: Started): void {
    if (service.welcome !== undefined) this.write(`${service.welcome}${inspectionText(service)}`);
  }

  say(sentence: string): void {
    this.write(`${sentence}\n`);
  }

  failed(): void {}

  close(): void {}
}
