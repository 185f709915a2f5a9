/**
 * DatabasePool: a bounded number of connections for short work (catalogue, publication) or for snapshots.
 *
 * Who waits longer than `queueMsMax` for a connection is told so; a connection that failed in a way that leaves its
 * session unknown is closed, not given to the next one.
 *
 * A network that was cut tells nobody: whoever asked something would wait as long as TCP does, and longer behind a proxy that goes on to
 * take what is sent. So a probe has its time; when that is over, connections that have heard nothing meanwhile are closed, with an error
 * for each who waits there.
 */
import pg from 'pg';
import { systemClock, type Clock } from '../../base/clock.ts';
import { clientConfig, connect, CONNECT_MS_MAX, inWorkingWay, isAboutTls, type Tls } from './connection.ts';
import {
  connectError, DatabaseRefusedError, DatabaseUnreachableError, isAnswer, SessionRefusedError, typed, worldError,
} from './database-error.ts';
import { breakOff, breakSilent, heardBy, inTime, type Heard } from './silence.ts';
import type { DatabaseTarget } from '../../settings/database-url.ts';

export interface DatabasePoolOptions {
  readonly target: DatabaseTarget;
  /** For `pg_stat_activity`. */
  readonly applicationName: string;
  readonly max: number;
  /** Its connections lead to a pooler, which lends a session for each transaction. Default false. */
  readonly isLent?: boolean;
  /** How long a caller may wait for a free connection. Default 5,000 ms. */
  readonly queueMsMax?: number;
  /** How long Postgres may leave a probe without an answer, and a pooler a transaction without a session. Default 15,000 ms. */
  readonly silenceMsMax?: number;
  readonly clock?: Clock;
}

export interface DatabasePool {
  /** A session is ours for one transaction: nothing may be set in it for longer, and nothing that was set is there. */
  readonly isLent: boolean;
  /** So many connections, and no more. */
  readonly max: number;
  /** Connections that are open, those of them that nobody has borrowed, and who waits for one. */
  readonly counts: { readonly open: number; readonly idle: number; readonly waiting: number };
  /** True from a successful `open` until a query finds the database away; any success makes it true again. */
  readonly isUp: boolean;
  /** A pooler lets us in, and lent no session in time when it was asked last. */
  readonly isWithheld: boolean;
  /** Connects once, to learn whether and how that works. @throws {WorldError} */
  open(): Promise<void>;
  /** @throws {WorldError} */
  query<Row extends pg.QueryResultRow>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  /**
   * Lends a connection to `work`. It is closed afterwards when `work` throws anything but a refusal by Postgres.
   *
   * @throws {PoolTimeoutError} none became free in time; `work` was not called.
   * @throws {WorldError}
   */
  use<Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result>;
  /**
   * Begins a transaction over a connection of this pool; where sessions are lent, it waits for one.
   *
   * @param sql which begins it.
   * @throws {SessionNotLentError} there was none in time; the connection is closed.
   * @throws {WorldError}
   */
  begin(client: pg.PoolClient, sql: string): Promise<void>;
  /**
   * Opens the pool if it is not open, and asks Postgres whether it is there, by another connection where all are at work.
   *
   * @throws {WorldError} where that has lasted, those of its connections are closed that have heard nothing meanwhile.
   */
  probe(): Promise<void>;
  /**
   * Resolves when every connection is closed. Borrowed ones close when they are given back, within a second: then they are broken off, with
   * an error for who has them. An `open` that is under way opens nothing any more; another one may follow.
   */
  close(): Promise<void>;
}

export class PoolTimeoutError extends Error {
  override readonly name = 'PoolTimeoutError';
}

/** A pooler has let us in and lends no session: nothing was asked of Postgres. */
export class SessionNotLentError extends PoolTimeoutError {
  constructor(afterMs: number) {
    super(`The pooler lent no session for ${afterMs} ms: it is paused, or all of its sessions are at work`);
  }
}

const QUEUE_MS_MAX = 5_000;
const SILENCE_MS_MAX = 15_000;
/** Over a line that says nothing, nothing that is asked ever ends. */
const CLOSE_MS_MAX = 1_000;

export function createPool(options: DatabasePoolOptions): DatabasePool {
  return new Pool(options);
}

/** Since when probes fail, and what had come over each connection by then. */
interface Doubt {
  readonly sinceMs: number;
  readonly heard: Heard;
}

class Pool implements DatabasePool {
  isUp = false;
  isWithheld = false;
  private pool: pg.Pool | undefined;
  private readonly options: DatabasePoolOptions;
  private readonly clock: Clock;
  private readonly silenceMsMax: number;
  private readonly clients = new Set<pg.PoolClient>();
  private doubt: Doubt | undefined;
  /** How often it was closed. */
  private closings = 0;

  constructor(options: DatabasePoolOptions) {
    this.options = options;
    const { clock = systemClock, silenceMsMax = SILENCE_MS_MAX } = options;
    this.clock = clock;
    this.silenceMsMax = silenceMsMax;
  }

  get isLent(): boolean {
    return this.options.isLent === true;
  }

  get max(): number {
    return this.options.max;
  }

  get counts(): DatabasePool['counts'] {
    const { totalCount: open = 0, idleCount: idle = 0, waitingCount: waiting = 0 } = this.pool ?? {};
    return { open, idle, waiting };
  }

  async open(): Promise<void> {
    const { closings } = this;
    const pool = await inWorkingWay(this.options.target, (tls) => this.connected(tls));
    if (closings !== this.closings) {
      await pool.end();
      throw new DatabaseUnreachableError('the pool was closed meanwhile');
    }
    this.isUp = true;
    if (this.pool === undefined) this.pool = pool;
    else await pool.end(); // It was open before, or was opened meanwhile.
  }

  async probe(): Promise<void> {
    if (this.pool === undefined) return await this.open();
    const doubt = (this.doubt ??= { sinceMs: this.clock.nowMs(), heard: heardBy(this.clients) });
    try {
      await this.ask();
      this.doubt = undefined;
    } catch (error) {
      this.unanswered(error, doubt);
      throw error;
    }
  }

  async query<Row extends pg.QueryResultRow>(sql: string, params: readonly unknown[] = []): Promise<Row[]> {
    return await this.use(async (client) => (await client.query<Row>(sql, [...params])).rows);
  }

  async use<Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
    const client = await this.borrow();
    let isSpoilt = true;
    try {
      const result = await typed(() => work(client));
      isSpoilt = false;
      this.isUp = true;
      this.isWithheld = false;
      return result;
    } catch (error) {
      isSpoilt = worldError(error)?.name !== 'DatabaseRefusedError';
      if (error instanceof DatabaseUnreachableError) this.isUp = false;
      throw error;
    } finally {
      client.release(isSpoilt);
    }
  }

  async begin(client: pg.PoolClient, sql: string): Promise<void> {
    if (!this.isLent) return void (await client.query(sql));
    await inTime(client, this.clock, this.silenceMsMax, () => client.query(sql), () => this.withheld());
    this.isWithheld = false;
  }

  async close(): Promise<void> {
    const { pool } = this;
    this.closings += 1;
    this.pool = undefined;
    this.isUp = false;
    this.isWithheld = false;
    if (pool === undefined) return;
    const clients = [...this.clients];
    await new Promise<void>((done, failed) => {
      const timer = this.clock.setTimer(() => {
        for (const client of clients) breakOff(client);
        done(); // Who is connecting still has a limit of its own.
      }, CLOSE_MS_MAX);
      pool.end().then(done, failed).finally(() => this.clock.clearTimer(timer));
    });
  }

  private async ask(): Promise<void> {
    try {
      const late = this.isLent ? () => new SessionNotLentError(this.silenceMsMax) : undefined;
      await this.use((client) => inTime(client, this.clock, this.silenceMsMax, () => client.query('SELECT 1'), late));
    } catch (error) {
      if (!this.mayBeFull(error)) throw error;
      await this.askBeside();
      this.isUp = true;
      if (error instanceof SessionNotLentError) this.isWithheld = true;
    }
  }

  /**
   * A pooler whose sessions are all at work lets a question wait, for longer than we do; and whoever lets somebody in may take longer for
   * it than those wait who want to ask something.
   */
  private mayBeFull(error: unknown): boolean {
    if (error instanceof PoolTimeoutError) return true;
    if (!(error instanceof DatabaseUnreachableError) || isAnswer(error)) return false;
    return this.isLent || isLate(error);
  }

  /** All at work, or all cut off: only another connection can tell. One that is refused has been answered. */
  private async askBeside(): Promise<void> {
    const { target, applicationName } = this.options;
    try {
      const client = await connect(target, { applicationName, timeoutMs: Math.min(CONNECT_MS_MAX, this.silenceMsMax), isBare: true });
      client.end().catch(() => {}); // It has said what it was made for.
    } catch (error) {
      const refused = connectError(error);
      if (!isAnswer(refused)) throw refused;
    }
  }

  private withheld(): SessionNotLentError {
    this.isWithheld = true;
    return new SessionNotLentError(this.silenceMsMax);
  }

  /** What fails at once may be over at once, and then they go on. */
  private unanswered(error: unknown, { sinceMs, heard }: Doubt): void {
    const isSilent = error instanceof DatabaseUnreachableError && !isAnswer(error);
    if (isSilent) {
      this.isUp = false;
      this.isWithheld = false; // Nobody is there who could lend one.
      if (this.clock.nowMs() - sinceMs < this.silenceMsMax) return;
      breakSilent(heard);
    }
    this.doubt = undefined;
  }

  /** The server has TLS now, or has none any more: the next `open` finds out in which way it is reached. */
  private forget(pool: pg.Pool): void {
    if (this.pool !== pool) return;
    this.pool = undefined;
    void pool.end();
  }

  /** With a connection that is free for the first who asks. */
  private async connected(tls: Tls): Promise<pg.Pool> {
    const { target, applicationName, max, queueMsMax = QUEUE_MS_MAX } = this.options;
    const pool = new pg.Pool({ ...clientConfig(target, { applicationName }, tls), max, connectionTimeoutMillis: queueMsMax });
    pool.on('remove', (client) => this.clients.delete(client));
    pool.on('connect', (client) => {
      this.clients.add(client);
      client.on('error', () => {}); // While it is lent nobody else listens: unheard, a connection that breaks would end the service.
      client.query("SET client_encoding TO 'UTF8'").catch(() => {}); // Fails as the next query does.
    });
    pool.on('error', () => {
      this.isUp = false; // An idle connection broke; the pool has let it go already.
    });
    try {
      (await pool.connect()).release();
      return pool;
    } catch (error) {
      await pool.end();
      throw error;
    }
  }

  private async borrow(): Promise<pg.PoolClient> {
    const { pool } = this;
    if (pool === undefined) throw new DatabaseUnreachableError('the pool is not connected');
    try {
      return await pool.connect();
    } catch (error) {
      if (isFull(pool, error)) throw new PoolTimeoutError('no connection became free in time');
      this.isUp = false;
      const refused = connectError(error);
      if (isAboutTls(refused)) this.forget(pool);
      throw refused instanceof DatabaseRefusedError ? new SessionRefusedError(refused) : refused;
    }
  }
}

/** It was not refused, and did not break: there was no more time for it. */
function isLate({ message }: DatabaseUnreachableError): boolean {
  return message.startsWith('timeout exceeded') || message.startsWith('timeout expired') || message.endsWith('connection timeout');
}

/** `pg` has one text for a pool that stays full and for a server that does not answer: only the counts tell them apart. */
function isFull(pool: pg.Pool, error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('timeout exceeded') && pool.totalCount >= pool.options.max;
}
