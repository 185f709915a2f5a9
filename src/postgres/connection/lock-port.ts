/**
 * LockPort: of all instances that share a slot, the one that holds the advisory lock may stream.
 *
 * - `acquire` → `lock.acquired` when it is held (that may take for ever: give up by aborting), or `lock.refused { error, fatal }`
 * - `seeHolder` → `lock.holderSeen { holder }`: the session that has it, or null where Postgres does not say or nobody has it
 * - `owner` is told `lock.lost { error }`, once, when the connection that held it dies
 *
 * The lock lives and dies with a session, so it has a connection of its own, which does nothing else. A session that
 * still waits when we die must not get the lock for nobody: Postgres is asked to watch our end of the connection.
 */
import type pg from 'pg';
import type { Address, Message, Name, PortContext, PortHandle, PortSpec } from '../../otp/process.ts';
import { connect } from './connection.ts';
import { DatabaseUnreachableError, isLasting, typed, worldError } from './database-error.ts';
import type { LockHolder } from './lock-holder.ts';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { prepareLongSession } from './long-session.ts';

export interface LockPortOptions {
  readonly name?: Name;
  readonly target: DatabaseTarget;
  /** Its hash is the lock's key: the same as the reference service's, so the two exclude each other. */
  readonly slot: string;
  /** Told `lock.lost`. */
  readonly owner: Address;
  /** Asks Postgres by another session: ours waits. */
  readonly holder: () => Promise<LockHolder | 'nobody' | undefined>;
}

export function lockPort(options: LockPortOptions): PortSpec {
  return {
    ...(options.name === undefined ? {} : { name: options.name }),
    open: (context) => new Port(options, context).handle(),
  };
}

class Port {
  private readonly options: LockPortOptions;
  private readonly context: PortContext;
  private held: pg.Client | undefined;

  constructor(options: LockPortOptions, context: PortContext) {
    this.options = options;
    this.context = context;
  }

  handle(): PortHandle {
    return {
      requests: {
        acquire: (_, signal) => this.acquire(AbortSignal.any([signal, this.context.signal])),
        seeHolder: async () => holderSeen(await this.options.holder()),
      },
      close: () => this.release(),
    };
  }

  private async acquire(signal: AbortSignal): Promise<Message> {
    if (this.held !== undefined) return { type: 'lock.acquired' };
    try {
      this.hold(await lockedSession(this.options, signal));
      return { type: 'lock.acquired' };
    } catch (error) {
      const refused = worldError(error);
      if (refused === undefined) throw error;
      return { type: 'lock.refused', error: { code: refused.code, message: refused.message }, fatal: isLasting(refused) };
    }
  }

  private hold(client: pg.Client): void {
    this.held = client;
    client.once('end', () => {
      if (this.held !== client) return;
      this.held = undefined;
      const error = { code: 'database_unreachable', message: 'the connection that held the lock was closed' };
      this.context.send(this.options.owner, { type: 'lock.lost', error });
    });
  }

  private async release(): Promise<void> {
    const { held } = this;
    this.held = undefined;
    await held?.end();
  }
}

function holderSeen(holder: LockHolder | 'nobody' | undefined): Message {
  if (typeof holder !== 'object') return { type: 'lock.holderSeen', holder: null };
  const told = Object.entries({ ...holder, since: holder.since?.toISOString() }).filter(([, value]) => value !== undefined);
  return { type: 'lock.holderSeen', holder: Object.fromEntries(told) };
}

/** @throws {WorldError} no session is left, and none waits. */
async function lockedSession({ target, slot }: LockPortOptions, signal: AbortSignal): Promise<pg.Client> {
  const client = await connect(target, { applicationName: 'armature lock', signal });
  const giveUp = (): void => void client.connection.stream.destroy();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    await prepareLongSession(client);
    await typed(() => client.query('SELECT pg_advisory_lock(hashtext($1))', [slot]));
    if (signal.aborted) throw new DatabaseUnreachableError('nobody waits for the lock any more');
    return client;
  } catch (error) {
    giveUp();
    throw error;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
