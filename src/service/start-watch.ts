/**
 * StartWatch: who looks on while a service starts, so that a person who waits can see that it goes on. Each step is told as it begins, and
 * of a long one how far it has come. What comes behind it, while the service listens already, is told by its events.
 */

/** What a start is at. */
export interface StartStep {
  /**
   * `storage`: the directory is opened; `lock`: who had it may be dead, which takes some seconds to see; `log`: what it holds is read;
   * `database`: Postgres is asked whether it can be followed.
   */
  readonly what: 'storage' | 'lock' | 'log' | 'database';
  /** Segments of the log that were read. Undefined of what cannot be counted. */
  readonly done?: number;
  /** Segments that are there to be read; each has 64 MiB at the most. */
  readonly of?: number;
}

/** Where lines of the log go. */
export interface LogLines {
  /** `json`: an object in each line; `human`: words for a person. */
  readonly form: 'json' | 'human';
  /** Takes one line, whole, with its end. It is called from within processes: it must neither wait nor throw. */
  write(line: string): void;
}

/** Who looks on. Nothing is told to what is left out. */
export interface StartWatch {
  /** Default: stdout, in words where that is a terminal. A logger of the program's own comes before it. */
  readonly logLines?: LogLines;
  /** Told of each step. What it throws ends the start. */
  readonly step?: (step: StartStep) => void;
}
