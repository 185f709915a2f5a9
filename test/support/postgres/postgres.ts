/**
 * A database of its own for each test file, on the run's Postgres. Names are unique, also across parallel workers, and
 * what a test leaves behind (connections, slots) is removed with the database.
 */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import pg from 'pg';
import { inject } from 'vitest';
import { MAJOR } from './start-postgres.ts';

export interface TestDatabase {
  /** As superuser, with its password. */
  readonly url: string;
  readonly name: string;
  /** One or several statements; the rows of the last one, with text as Postgres's own types give it. */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  /** Resolves once the query finds a row; asks again and again, and rests in between. @throws when none came in a minute. */
  until(sql: string): Promise<void>;
  /** A further session, for open transactions; ended with the database. */
  session(): Promise<pg.Client>;
  /** Removes the database with its slots and sessions. */
  drop(): Promise<void>;
}

const UNTIL_MS_MAX = 60_000;

/** The URL of the run's server (its first caller starts it): database `postgres`, superuser. */
export async function serverUrl(): Promise<string> {
  const socket = connect(inject('postgresDoor'), '127.0.0.1');
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  if (answer.startsWith('error: ')) throw new Error(answer);
  return answer;
}

/** A replication stream of the database's own: slots are named across the whole server. */
export function streamIdOf(databaseUrl: string): string {
  return new URL(databaseUrl).pathname.slice(1);
}

/** Copied as files: to log its 8 MB page by page would take four times as long, hundreds of times in a run. */
export async function createDatabase(): Promise<TestDatabase> {
  return await createDatabaseOn(await serverUrl(), MAJOR < 15 ? '' : 'STRATEGY FILE_COPY'); // Before 15 there is no other way.
}

/** The same on any other server. @param options of `CREATE DATABASE`. */
export async function createDatabaseOn(server: string, options = ''): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await onServer(server, `CREATE DATABASE ${name} ${options}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const sessions: pg.Client[] = [];
  const session = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url.href });
    client.on('error', () => {}); // A test may end its own server side.
    await client.connect();
    sessions.push(client);
    return client;
  };
  const main = await session();
  return {
    url: url.href,
    name,
    session,
    query: async (sql, params) => rowsOf(await main.query(sql, params === undefined ? undefined : [...params])),
    async until(sql) {
      for (const deadline = AbortSignal.timeout(UNTIL_MS_MAX); (await main.query(sql)).rows.length === 0; ) {
        if (deadline.aborted) throw new Error(`not so within ${UNTIL_MS_MAX} ms: ${sql}`);
        await main.query('SELECT pg_sleep(0.01)');
      }
    },
    drop: async () => {
      await Promise.all(sessions.map((client) => client.end()));
      await dropDatabase(server, name);
    },
  };
}

function rowsOf<Row extends pg.QueryResultRow>(result: pg.QueryResult<Row> | pg.QueryResult<Row>[]): Row[] {
  return Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows;
}

/** A slot keeps its database alive, and a walsender its slot: so end the walsenders, wait for them, then drop. */
async function dropDatabase(server: string, name: string): Promise<void> {
  await onServer(server, `
    DO $$
    BEGIN
      FOR attempt IN 1..200 LOOP
        PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}';
        PERFORM pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = '${name}' AND active;
        EXIT WHEN NOT EXISTS (SELECT FROM pg_replication_slots WHERE database = '${name}' AND active);
        PERFORM pg_sleep(0.02);
      END LOOP;
      PERFORM pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '${name}';
    END $$`);
  await onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

async function onServer(server: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
