/**
 * RowsThreads: threads that read the rows of large tables, each over a session of its own, while this one goes on with everything else.
 *
 * To decode millions of rows takes a second or more of computing, and whoever waits for a change of another shape would feel each
 * millisecond of it. So here a fragment is only handed on, in memory that both threads see. A thread reads for one shape at a time:
 * whatever becomes of it (an error, too little memory, an end that nobody asked for) is the end of that query and of nothing else, and to
 * give up is to end the thread, which closes its session.
 *
 * One for which all went well stays for a while, without a session: what the next one reads is decoded by code that is fast already.
 */
import { Worker } from 'node:worker_threads';
import { systemClock, type Clock, type TimerId } from '../../base/clock.ts';
import type { StopSignal } from '../../base/stop-signal.ts';
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
  readonly clock?: Clock;
}

/** Who reads. */
export interface ThreadReader {
  /** Called once, when the first row or the end of an empty answer has arrived. */
  readonly onFirst: () => void;
  /** The fragment is the reader's until it resolves; the next one comes behind that. */
  readonly rows: (fragment: JoinedLines) => Promise<void>;
  /** Called behind the last fragment, while the thread's transaction still holds the table. */
  readonly confirm: () => Promise<void>;
  readonly signal: StopSignal;
}

/** How long a thread stays that has nothing to do: it has some megabytes. */
const IDLE_MS_MAX = 30_000;

export class RowsThreads {
  private running = 0;
  /** The one that was at work last is the last. */
  private idle: { readonly worker: Worker; readonly timer: TimerId }[] = [];
  private readonly clock: Clock;

  constructor(private readonly options: RowsThreadsOptions) {
    this.clock = options.clock ?? systemClock;
  }

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
    const { target, applicationName } = this.options;
    this.running += 1;
    const worker = this.taken();
    let isWell = false;
    try {
      isWell = await new ThreadReading(worker, reader).run({ ...task, target, applicationName });
      return isWell;
    } finally {
      if (isWell && !reader.signal.aborted) this.keep(worker);
      else await worker.terminate();
      this.running -= 1;
    }
  }

  /** Ends those that have nothing to do. */
  async close(): Promise<void> {
    await Promise.all(this.idle.map(({ worker }) => this.end(worker)));
  }

  private taken(): Worker {
    const worker = this.idle.at(-1)?.worker ?? this.start();
    this.forget(worker);
    worker.ref();
    return worker;
  }

  private start(): Worker {
    const { program, applicationName } = this.options;
    const worker = new Worker(program, { name: applicationName });
    worker.on('error', () => {}); // Behind it comes its end, of which whoever it reads for is told.
    worker.on('exit', () => this.forget(worker));
    return worker;
  }

  /** It keeps no process alive. */
  private keep(worker: Worker): void {
    worker.unref();
    this.idle.push({ worker, timer: this.clock.setTimer(() => void this.end(worker), IDLE_MS_MAX) });
  }

  private async end(worker: Worker): Promise<void> {
    this.forget(worker);
    await worker.terminate();
  }

  private forget(worker: Worker): void {
    for (const { timer } of this.idle.filter((one) => one.worker === worker)) this.clock.clearTimer(timer);
    this.idle = this.idle.filter((one) => one.worker !== worker);
  }
}

class ThreadReading {
  private hasBegun = false;

  constructor(
    private readonly worker: Worker,
    private readonly reader: ThreadReader,
  ) {}

  async run(task: RowsTask): Promise<boolean> {
    const { worker, reader: { signal } } = this;
    let forget = (): void => {};
    try {
      return await new Promise<boolean>((done, failed) => {
        const ended = (error: Error): void => (this.hasBegun ? failed(error) : done(false));
        const onMessage = (message: FromThread): void => {
          if (message.type === 'free') done(true);
          else void this.take(message, ended).catch(failed);
        };
        const onError = (error: Error): void => ended(new RowsThreadError(error));
        const onExit = (): void => ended(new RowsThreadError());
        const onAbort = (): void => failed(new DatabaseUnreachableError('the query was given up'));
        forget = () => {
          worker.off('message', onMessage).off('error', onError).off('exit', onExit);
          signal.removeEventListener('abort', onAbort);
        };
        worker.on('message', onMessage).on('error', onError).on('exit', onExit);
        signal.addEventListener('abort', onAbort);
        if (signal.aborted) onAbort();
        else this.say(task);
      });
    } finally {
      forget();
    }
  }

  private async take(message: Exclude<FromThread, { readonly type: 'free' }>, ended: (error: Error) => void): Promise<void> {
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
        return this.say('end');
      case 'failed':
        return ended(errorOf(message.error));
    }
  }

  private say(word: ToThread): void {
    this.worker.postMessage(word);
  }
}
