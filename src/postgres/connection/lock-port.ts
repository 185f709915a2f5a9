/**
 * LockPort: of all instances that share a slot, the one that holds the advisory lock may stream.
 *
 * - `acquire` → `lock.acquired` when it is held (that may take for ever: give up by aborting), or `lock.refused { error, fatal }`
 * - `seeHolder` → `lock.holderSeen { holder }`: the session that has it, or null where Postgres does not say or nobody has it
 * - `owner` is told `lock.lost { error }`, once, when the connection that held it dies
 *
 * The lock lives and dies with a session, so it has a connection of its own, which does nothing else. A session that
 * still waits when we die must not get the lock for nobody: Postgres is asked to watch our end of the connection. And one that was cut off
 * does not hold it for long (`LockLease`), nor wait in vain: the lock is free, or its own, when somebody looks who has it.
 */
import type pg from 'pg';
import { systemClock, type Clock } from '../../base/clock.ts';
import type { Address, Message, Name, PortContext, PortHandle, PortSpec } from '../../otp/process.ts';
import { connect, farewell, processOf } from './connection.ts';
import { isLasting, typed, worldError } from './database-error.ts';
import type { HeldLock } from './held-lock.ts';
import type { LockHolder } from './lock-holder.ts';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { leaseLock, LockLease } from './lock-lease.ts';
import { prepareLongSession } from './long-session.ts';
import { breakOff, stepInTime, until } from './silence.ts';

export interface LockPortOptions {
  readonly name?: Name;
  readonly target: DatabaseTarget;
  /** Its hash is the lock's key: the same as the reference service's, so the two exclude each other. */
  readonly slot: string;
  /** Told `lock.lost`. */
  readonly owner: Address;
  /** Asks Postgres by another session: ours waits. */
  readonly holder: () => Promise<LockHolder | 'nobody' | undefined>;
  /** How long Postgres may leave a question without an answer. Default 15,000 ms. */
  readonly answerMsMax?: number;
  /** Is told the session that has it. */
  readonly held?: HeldLock;
  readonly clock?: Clock;
}

interface LockedSession {
  readonly client: pg.Client;
  /** Of Postgres: where a proxy stands between, what the connection was told at its start may be another. */
  readonly process: number;
}

const ANSWER_MS_MAX = 15_000;
const LOCK_SQL = 'SELECT pg_backend_pid() AS pid, pg_advisory_lock(hashtext($1))';

export function lockPort(options: LockPortOptions): PortSpec {
  return {
    ...(options.name === undefined ? {} : { name: options.name }),
    open: (context) => new Port(options, context).handle(),
  };
}

class Port {
  private readonly options: LockPortOptions;
  private readonly context: PortContext;
  private readonly clock: Clock;
  private readonly answerMsMax: number;
  private held: { readonly client: pg.Client; readonly lease: LockLease } | undefined;
  /** Has asked for the lock, and has no answer. */
  private waiting: pg.Client | undefined;

  constructor(options: LockPortOptions, context: PortContext) {
    this.options = options;
    this.context = context;
    const { clock = systemClock, answerMsMax = ANSWER_MS_MAX } = options;
    this.clock = clock;
    this.answerMsMax = answerMsMax;
  }

  handle(): PortHandle {
    return {
      requests: {
        acquire: (_, signal) => this.acquire(signal),
        seeHolder: () => this.seeHolder(),
      },
      close: () => this.release(),
    };
  }

  private async acquire(signal: AbortSignal): Promise<Message> {
    if (this.held !== undefined) return { type: 'lock.acquired' };
    try {
      this.hold(await this.lockedSession(signal));
      return { type: 'lock.acquired' };
    } catch (error) {
      const refused = worldError(error);
      if (refused === undefined) throw error;
      return { type: 'lock.refused', error: { code: refused.code, message: refused.message }, fatal: isLasting(refused) };
    }
  }

  private hold({ client, process }: LockedSession): void {
    const held = { client, lease: new LockLease(client, this.clock, this.answerMsMax) };
    this.held = held;
    this.tell(process);
    client.once('end', () => {
      held.lease.end();
      if (this.held !== held) return;
      this.held = undefined;
      this.tell(undefined);
      const error = { code: 'database_unreachable', message: 'the connection that held the lock was closed' };
      this.context.send(this.options.owner, { type: 'lock.lost', error });
    });
  }

  private async release(): Promise<void> {
    const { held } = this;
    this.held = undefined;
    if (held === undefined) return;
    this.tell(undefined);
    held.lease.end();
    await farewell(held.client, this.clock);
  }

  private tell(process: number | undefined): void {
    if (this.options.held !== undefined) this.options.held.process = process;
  }

  /** @throws {WorldError} no session is left, and none waits. */
  private async lockedSession(signal: AbortSignal): Promise<LockedSession> {
    const client = await this.session(signal);
    this.waiting = client;
    try {
      const asked = typed(() => client.query<{ pid: number }>(LOCK_SQL, [this.options.slot]));
      const { rows: [row] } = await until(signal, client, asked);
      return { client, process: row?.pid ?? processOf(client) };
    } finally {
      this.waiting = undefined;
    }
  }

  private async session(signal: AbortSignal): Promise<pg.Client> {
    const { target } = this.options;
    const client = await this.inTime(signal, (given) => connect(target, { applicationName: 'armature lock', signal: given }));
    await this.inTime(signal, (given) => until(given, client, prepareLongSession(client)));
    await this.inTime(signal, (given) => until(given, client, leaseLock(client, this.answerMsMax)));
    return client;
  }

  private inTime<Result>(signal: AbortSignal, step: (given: AbortSignal) => Promise<Result>): Promise<Result> {
    return stepInTime(signal, this.clock, this.answerMsMax, step);
  }

  private async seeHolder(): Promise<Message> {
    const { waiting } = this;
    const holder = await this.options.holder();
    if (waiting !== undefined && waiting === this.waiting && isGone(waiting, holder)) breakOff(waiting);
    return holderSeen(holder);
  }
}

/** Who waits gets a lock that is free, and hears of it: unless what came over its connection did not arrive. */
function isGone(waiting: pg.Client, holder: LockHolder | 'nobody' | undefined): boolean {
  return holder === 'nobody' || (holder !== undefined && holder.pid === processOf(waiting));
}

function holderSeen(holder: LockHolder | 'nobody' | undefined): Message {
  if (typeof holder !== 'object') return { type: 'lock.holderSeen', holder: null };
  const told = Object.entries({ ...holder, since: holder.since?.toISOString() }).filter(([, value]) => value !== undefined);
  return { type: 'lock.holderSeen', holder: Object.fromEntries(told) };
}
