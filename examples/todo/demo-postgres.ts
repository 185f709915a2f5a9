/** A Postgres to try the app on. It comes from the repository and not from the package: who copies the example leaves this file behind. */
import { startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresStep } from '../../src/demo/embedded-postgres.ts';

/** Of its own, so that `npm start` may run beside it. */
const DIRECTORY = '.armature/todo/postgres';
const WORDS: Readonly<Record<EmbeddedPostgresStep, string>> = {
  cluster: 'Creating a Postgres cluster (once; takes a few seconds)',
  postgres: 'Starting Postgres',
};

export async function startDemoPostgres(): Promise<EmbeddedPostgres> {
  return await startEmbeddedPostgres({ directory: DIRECTORY, onProgress: (step) => console.log(WORDS[step]) });
}
