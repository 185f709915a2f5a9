/**
 * ScriptReport (`--json`): a script gets one line of JSON when the service listens, another one when it follows the database, and nothing
 * else on stdout, ever; the log goes to stderr.
 */
import { VERSION } from '../../base/version.ts';
import { jsonLine } from '../terminal.ts';
import type { LogLines, Started, StartReport } from './start-report.ts';

export class ScriptReport implements StartReport {
  readonly logLines: LogLines;

  /** @param print to stdout. @param aside to stderr. */
  constructor(
    private readonly print: (text: string) => void,
    private readonly aside: (text: string) => void,
  ) {
    this.logLines = { form: 'json', write: aside };
  }

  step(): void {}

  started(service: Started): void {
    this.tell('started', service);
  }

  ready(service: Started): void {
    this.tell('ready', service);
  }

  say(sentence: string): void {
    this.aside(`armature: ${sentence}\n`);
  }

  failed(): void {}

  close(): void {}

  private tell(event: 'started' | 'ready', { url, observerUrl, metricsUrl, inspectionUrl, storage, pid }: Started): void {
    const places = { url, shapes: `${url}/v1/shape`, observer: observerUrl, metrics: metricsUrl, inspection: inspectionUrl };
    const known = Object.fromEntries(Object.entries(places).map(([name, place]) => [name, place ?? null]));
    this.print(jsonLine({ event, version: VERSION, pid, ...known, storage }));
  }
}
