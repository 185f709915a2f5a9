/**
 * CollectorReport: for who collects lines. The log goes to stdout as always; the demo says there what it is at, and what to try. What a
 * person is told who stops it is no line of the log, and goes to stderr.
 */
import { inspectionText } from './inspection-text.ts';
import { STEP_TEXTS, type Started, type StartReport, type Step } from './start-report.ts';

/** Of these nobody writes a line of the log. */
const TOLD: readonly Step['what'][] = ['cluster', 'postgres'];

export class CollectorReport implements StartReport {
  readonly logLines = undefined;

  /** @param write to stdout. @param aside to stderr. */
  constructor(
    private readonly write: (text: string) => void,
    private readonly aside: (text: string) => void,
  ) {}

  step({ what }: Step): void {
    if (TOLD.includes(what)) this.write(`${STEP_TEXTS[what]}\n`);
  }

  started(): void {} // The log says so.

  ready(service: Started): void {
    if (service.welcome !== undefined) this.write(`${service.welcome}${inspectionText(service)}`);
  }

  say(sentence: string): void {
    this.aside(`armature: ${sentence}\n`);
  }

  failed(): void {}

  close(): void {}
}
