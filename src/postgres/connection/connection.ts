/**
 * A connection to Postgres, made by `pg`: TLS as the URL's sslmode asks, SCRAM, and UTF-8 on the wire whatever the
 * database's own encoding.
 *
 * An established connection may break at any time: who holds the client hears its `error` event, or finds out with
 * the next query. No error is left without a listener.
 */
import pg from 'pg';
import type { Clock } from '../../base/clock.ts';
import { connectError, DatabaseUnreachableError, worldError } from './database-error.ts';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { LendingSocket } from './lending-socket.ts';

export interface ConnectOptions {
  readonly applicationName: string;
  /** Opens a walsender of that database instead of an ordinary backend. */
  readonly replication?: 'database';
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** Nothing is asked over it but to be let in: a pooler lets in whom it has no session for, yet. Then the encoding is the database's. */
  readonly isBare?: boolean;
}

/** Unless somebody has less time. */
export const CONNECT_MS_MAX = 10_000;
/** Whoever does not hear that we leave is left all the same. */
const FAREWELL_MS = 1_000;
const KEEPALIVE_IDLE_MS = 10_000;
export type Tls = 'plain' | 'encrypted';

/** @throws {WorldError} no connection is left open. */
export function connect(target: DatabaseTarget, options: ConnectOptions): Promise<pg.Client> {
  return inWorkingWay(target, (tls) => attempt(target, options, tls));
}

/** Ends a session in good order; resolves when its connection is closed. */
export async function farewell(client: pg.Client, clock: Clock): Promise<void> {
  const timer = clock.setTimer(() => client.connection.stream.destroy(), FAREWELL_MS);
  await client.end();
  clock.clearTimer(timer);
}

/** Its process of Postgres. */
export function processOf(client: pg.Client): number {
  return (client as pg.Client & { readonly processID: number }).processID; // Its types leave that out.
}

/**
 * Connects in the first way that the target's sslmode names, or in the second where the first is refused for what it is.
 *
 * @param connecting leaves nothing open when it throws.
 * @throws {WorldError}
 */
export async function inWorkingWay<T>(target: DatabaseTarget, connecting: (tls: Tls) => Promise<T>): Promise<T> {
  const [first, second] = tlsAttempts(target);
  try {
    return await connecting(first);
  } catch (error) {
    const refused = connectError(error);
    if (second === undefined || !isAboutTls(refused)) throw refused;
  }
  return await connecting(second).catch((error: unknown) => {
    throw connectError(error);
  });
}

/** What `pg` must be given to connect in the given way. */
export function clientConfig(target: DatabaseTarget, options: ConnectOptions, tls: Tls): pg.ClientConfig {
  const { host, port, user, password, database } = target;
  return {
    host, port, user, database,
    password: password ?? '',
    ssl: tls === 'plain' ? false : trustIn(target),
    application_name: options.applicationName,
    connectionTimeoutMillis: options.timeoutMs ?? CONNECT_MS_MAX,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_IDLE_MS,
    ...(options.replication === undefined ? {} : { replication: options.replication }),
    // TLS takes the place of the socket's own reading.
    ...(options.replication === undefined || tls === 'encrypted' ? {} : { stream: () => LendingSocket.make() }),
  };
}

/** Every mode but the last two encrypts and verifies nothing. */
function trustIn({ sslMode, ca }: DatabaseTarget): Exclude<pg.ClientConfig['ssl'], boolean | undefined> {
  if (sslMode !== 'verify-ca' && sslMode !== 'verify-full') return { rejectUnauthorized: false };
  const signed = { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) };
  return sslMode === 'verify-full' ? signed : { ...signed, checkServerIdentity: () => undefined };
}

function tlsAttempts({ sslMode }: DatabaseTarget): readonly [Tls, Tls?] {
  switch (sslMode) {
    case 'disable': return ['plain'];
    case 'allow': return ['plain', 'encrypted'];
    case 'prefer': return ['encrypted', 'plain'];
    case 'require':
    case 'verify-ca':
    case 'verify-full': return ['encrypted'];
  }
}

/** True when the other way, with or without TLS, may succeed: the server has no TLS, or pg_hba.conf wants the other one. */
export function isAboutTls(error: unknown): boolean {
  if (error instanceof DatabaseUnreachableError) return /SSL|TLS/i.test(error.message);
  const refused = worldError(error);
  return refused?.code === '28000' && /no (?:encryption|pg_hba)|SSL/i.test(refused.message);
}

async function attempt(target: DatabaseTarget, options: ConnectOptions, tls: Tls): Promise<pg.Client> {
  const { signal } = options;
  if (signal?.aborted) throw new DatabaseUnreachableError('the connection was given up');
  const client = new pg.Client(clientConfig(target, options, tls));
  client.on('error', () => {}); // Whoever uses the connection learns of it as well; unheard, it would end the service.
  const giveUp = (): void => void client.connection.stream.destroy(new DatabaseUnreachableError('the connection was given up'));
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    await client.connect();
    if (options.isBare !== true) await client.query("SET client_encoding TO 'UTF8'");
    return client;
  } catch (error) {
    client.connection.stream.destroy();
    throw error;
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}
