/**
 * PersonReport: a start as a person at a terminal reads it. One line goes on while he waits, and is gone when the sentence comes, which
 * stands alone; lines of the log come behind it. So they are held until then. But nobody is to look at nothing: when the service
 * listens and nothing has gone on for a while, the sentence says why it is not ready, and the log is let go.
 */
import type { Clock, TimerId } from '../../base/clock.ts';
import { printable } from '../../base/printable-text.ts';
import { inspectionText } from './inspection-text.ts';
import { ProgressLine, type Screen } from '../progress-line.ts';
import { STEP_TEXTS, STEP_UNITS, type LogLines, type Started, type StartReport, type Step } from './start-report.ts';

const PATIENCE_MS = 3_000;
/** No start is as talkative as this, unless something is wrong. */
const HELD_LINES_MAX = 1_000;
/** As words for a person begin: the time, and how grave it is. */
const WARNING = /^\S+ warn /;

export class PersonReport implements StartReport {
  readonly logLines: LogLines = { form: 'human', write: (line) => this.takeLine(line) };
  private readonly line: ProgressLine;
  /** Undefined once they are let go. */
  private held: string[] | undefined = [];
  private listening: Started | undefined;
  private impatience: TimerId | undefined;

  constructor(
    private readonly screen: Screen,
    private readonly clock: Clock,
  ) {
    this.line = new ProgressLine(screen, clock);
  }

  step({ what, done, of }: Step): void {
    if (this.held === undefined) return; // The log tells it.
    const counted = done === undefined || of === undefined ? undefined : { done, of, unit: STEP_UNITS[what] ?? '' };
    this.line.show(STEP_TEXTS[what], counted);
    this.waitAnew();
  }

  started(service: Started): void {
    this.listening = service;
    this.line.show('Waiting for Postgres');
    this.waitAnew();
  }

  ready(service: Started): void {
    this.tell(service.welcome === undefined ? sentenceOf(service) : `${service.welcome}${inspectionText(service)}`);
  }

  say(sentence: string): void {
    this.line.clear();
    this.screen.write(`${sentence}\n`);
  }

  /** The sentence that follows says why. What else was found stays told. */
  failed(): void {
    this.held = this.held?.filter((line) => WARNING.test(line));
    this.tell('');
  }

  close(): void {
    this.tell('');
  }

  private takeLine(line: string): void {
    if (this.held === undefined) return this.screen.write(line);
    this.held.push(line);
    if (this.held.length >= HELD_LINES_MAX) this.tell('');
  }

  /** Each step that is told shows that it goes on. */
  private waitAnew(): void {
    if (this.impatience !== undefined) this.clock.clearTimer(this.impatience);
    const { listening } = this;
    this.impatience = listening && this.clock.setTimer(() => void this.sayWhy(listening), PATIENCE_MS);
  }

  private async sayWhy(service: Started): Promise<void> {
    const cause = await service.cause().catch(String); // The sentence is what there is; a cause is more than that.
    if (this.held === undefined || cause === undefined) return; // It is ready by now.
    this.tell(`Armature listens at ${service.url}, and is not ready yet: ${printable(cause)}. Ctrl-C stops it.\n`);
  }

  private tell(text: string): void {
    if (this.impatience !== undefined) this.clock.clearTimer(this.impatience);
    this.impatience = undefined;
    this.line.clear();
    const lines = this.held ?? [];
    this.held = undefined;
    this.screen.write([text, ...lines].join(''));
  }
}

function sentenceOf(service: Started): string {
  const { url, observerUrl, metricsUrl } = service;
  const places = [
    ['Shapes', `${url}/v1/shape`],
    ...(observerUrl === undefined ? [] : [['Observer', observerUrl]]),
    ...(metricsUrl === undefined ? [] : [['Metrics', metricsUrl]]),
  ].map(([name = '', place = '']) => `  ${name.padEnd(10)} ${place}\n`);
  return `Armature is ready at ${url}. Ctrl-C stops it.\n${places.join('')}${inspectionText(service)}`;
}
