/** The demo: a Postgres of our own with a small schema, and somebody who keeps changing it. For a first look. */
import pg from 'pg';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { createDemoSchema, keepChanging } from './demo-database.ts';
import { startEmbeddedPostgres, type EmbeddedPostgresStep } from './embedded-postgres.ts';

export interface Demo {
  readonly url: string;
  /** What to try, for a person; to be shown once the service listens. */
  readonly welcome: (serviceUrl: string) => string;
  /** Resolves when no process of it is left. */
  stop(): Promise<void>;
}

const DIRECTORY = '.armature/postgres';
const CHANGE_EVERY_MS = 1_000;

/**
 * @param onProgress told what begins.
 * @throws {EmbeddedPostgresError} nothing of it is left running.
 */
export async function startDemo(clock: Clock, random: Random, onProgress: (step: EmbeddedPostgresStep) => void): Promise<Demo> {
  const postgres = await startEmbeddedPostgres({ directory: DIRECTORY, onProgress });
  try {
    const connection = new pg.Client({ connectionString: postgres.url });
    connection.on('error', () => {}); // Its server stops before it does: the next change finds out.
    await connection.connect();
    await createDemoSchema(connection);
    const stopChanging = keepChanging(connection, clock, random, CHANGE_EVERY_MS);
    return {
      url: postgres.url,
      welcome,
      async stop() {
        await stopChanging();
        await connection.end();
        await postgres.stop();
      },
    };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

function welcome(serviceUrl: string): string {
  const shape = `${serviceUrl}/v1/shape`;
  return `Armature is ready at ${serviceUrl}, on a demo database.
It has the tables "projects" and "issues"; some of their rows change every second.

  In a browser           ${serviceUrl}
  Shapes are served at   ${shape}
  Try                    curl -i '${shape}?table=issues&offset=-1'
  Your own database      armature start --database-url=postgresql://user:password@host:5432/database

Ctrl-C stops everything. The data stays in ./.armature for the next start.
`;
}
