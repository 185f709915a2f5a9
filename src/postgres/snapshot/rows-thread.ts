/**
 * RowsThreads: threads that read the rows of large tables, each over a session of its own, while this one goes on with everything else.
 *
 * To decode millions of rows takes a second or more of computing, and whoever waits for a change of another shape would feel each
 * millisecond of it. So here a fragment is only handed on, in memory that both threads see. A thread is made for one query and ends with
 * it: whatever becomes of it (an error, too little memory, an end that nobody asked for) is the end of that query and of nothing else, and
 * to give up is to end the thread, which closes its session.
 */
import { Worker } from 'node:worker_threads';
import type { JoinedLines } from '../../model/joined-lines.ts';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { DatabaseUnreachableError } from '../connection/database-error.ts';
import { errorOf, type FromThread, type RowsTask, type ToThread } from './rows-messages.ts';
import { RowsThreadError } from './snapshot-error.ts';

export interface RowsThreadsOptions {
  /** What they run: `rows-worker`, as it was built. */
  readonly program: URL;
  /** Leads to Postgres itself: a session that a pooler lends cannot take another one's snapshot. */
  readonly target: DatabaseTarget;
  /** For `pg_stat_activity`. */
  readonly applicationName: string;
  /** How many there may be at a time, and sessions with them. */
  readonly max: number;
}

/** Who reads. */
export interface ThreadReader {
  /** Called once, when the first row or the end of an empty answer has arrived. */
  readonly onFirst: () => void;
  /** The fragment is the reader's until it resolves; the next one comes behind that. */
  readonly rows: (fragment: JoinedLines) => Promise<void>;
  /** Called behind the last fragment, while the thread's transaction still holds the table. */
  readonly confirm: () => Promise<void>;
  readonly signal: AbortSignal;
}

export class RowsThreads {
  private running = 0;

  constructor(private readonly options: RowsThreadsOptions) {}

  get hasRoom(): boolean {
    return this.running < this.options.max;
  }

  /**
   * @returns false when the thread did not come so far that it could ask anything: somebody else may read then.
   * @throws {RowsThreadError} it has ended by itself.
   * @throws {DatabaseUnreachableError} its connection is gone, or the signal was aborted.
   * @throws {DatabaseRefusedError} and as the reader does.
   */
  async read(task: Omit<RowsTask, 'target' | 'applicationName'>, reader: ThreadReader): Promise<boolean> {
    const { program, target, applicationName } = this.options;
    this.running += 1;
    const workerData: RowsTask = { ...task, target, applicationName };
    const worker = new Worker(program, { workerData, env: {}, name: applicationName });
    try {
      return await new ThreadReading(worker, reader).result;
    } finally {
      await worker.terminate(); // Has ended already where all went well.
      this.running -= 1;
    }
  }
}

class ThreadReading {
  readonly result: Promise<boolean>;
  private hasBegun = false;
  private isConfirmed = false;

  constructor(
    private readonly worker: Worker,
    private readonly reader: ThreadReader,
  ) {
    this.result = new Promise<boolean>((done, failed) => {
      const giveUp = (): void => failed(new DatabaseUnreachableError('the query was given up'));
      const ended = (error: Error): void => (this.hasBegun ? failed(error) : done(false));
      worker.on('message', (message: FromThread) => void this.take(message, ended).catch(failed));
      worker.on('error', (error) => ended(new RowsThreadError(error)));
      worker.on('exit', () => (this.isConfirmed ? done(true) : ended(new RowsThreadError())));
      reader.signal.addEventListener('abort', giveUp, { once: true });
      if (reader.signal.aborted) giveUp();
      const forget = (): void => reader.signal.removeEventListener('abort', giveUp);
      worker.on('exit', forget);
    });
  }

  private async take(message: FromThread, ended: (error: Error) => void): Promise<void> {
    switch (message.type) {
      case 'begun':
        this.hasBegun = true;
        return;
      case 'first':
        return this.reader.onFirst();
      case 'fragment':
        await this.reader.rows(message.lines);
        return this.say('taken');
      case 'read':
        await this.reader.confirm();
        this.isConfirmed = true;
        return this.say('end');
      case 'failed':
        return ended(errorOf(message.error));
    }
  }

  private say(word: ToThread): void {
    this.worker.postMessage(word);
  }
}
