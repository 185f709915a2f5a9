/**
 * StartReport: what is said of a start, and to whom. A person at a terminal reads one line that goes on while he waits, then one sentence,
 * and only then the log; who collects lines gets the log and nothing else; a script gets a line of JSON for each thing that it waits for.
 */
import { visitable } from '../../base/visitable-url.ts';

/** Where lines of the log go, as the service takes it. */
export interface LogLines {
  readonly form: 'json' | 'human';
  write(line: string): void;
}

/** What a start is at. */
export interface Step {
  readonly what: keyof typeof STEP_TEXTS;
  /** Of what can be counted: so many of so many. */
  readonly done?: number;
  readonly of?: number;
}

/** A service that listens. Addresses are those that a browser on this machine can go to. */
export interface Started {
  readonly url: string;
  readonly observerUrl: string | undefined;
  readonly metricsUrl: string | undefined;
  readonly inspectionUrl: string | undefined;
  /** The directory, or `memory`. */
  readonly storage: string;
  readonly pid: number;
  /** What to say in place of the sentence: the demo has more to tell. */
  readonly welcome: string | undefined;
  /** Why it is not ready, for whoever runs it. */
  cause(): Promise<string | undefined>;
}

export interface StartReport {
  /** Undefined: they go where they always go. */
  readonly logLines: LogLines | undefined;
  /** What is done now; until the next step, or until it is ready. */
  step(step: Step): void;
  /** It listens. */
  started(service: Started): void;
  /** It follows the database, for the first time. */
  ready(service: Started): void;
  /** A sentence for whoever runs it. */
  say(sentence: string): void;
  /** It did not start; why is told behind this. */
  failed(): void;
  /** The end of what had started: nothing is withheld or half written any more. */
  close(): void;
}

export const STEP_TEXTS = {
  cluster: 'Creating a Postgres cluster (once; takes a few seconds)',
  postgres: 'Starting Postgres',
  storage: 'Opening the storage',
  lock: 'Waiting for a sign of life of the process that had the storage (up to 16 s)',
  log: 'Reading the log',
  database: 'Looking at the database',
  shapes: 'Bringing stored shapes back',
} as const;

/** What is counted of a step. */
export const STEP_UNITS: Readonly<Partial<Record<Step['what'], string>>> = { log: 'segments' };

/** What the service says of itself. */
type Told = Pick<Started, 'url' | 'observerUrl' | 'metricsUrl' | 'inspectionUrl' | 'cause'>;

export function startedOf(service: Told, storage: string, pid: number, welcome: string | undefined): Started {
  const { url, observerUrl, metricsUrl, inspectionUrl } = service;
  const [observer, metrics] = [observerUrl, metricsUrl].map((each) => each && visitable(each));
  return {
    url: visitable(url), observerUrl: observer, metricsUrl: metrics, inspectionUrl, storage, pid, welcome, cause: () => service.cause(),
  };
}
