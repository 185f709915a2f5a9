/** A Postgres of a test file's own, with one database: what is done to the server is done to nobody else. */
import { clusterDirectory } from '../postgres/cluster-directory.ts';
import { createDatabaseOn, type TestDatabase } from '../postgres/postgres.ts';
import { startPostgres } from '../postgres/start-postgres.ts';
import { removeDirectory, temporaryDirectory } from '../storage/temporary-directory.ts';

export interface OwnCluster {
  /** Of the storages beside it. */
  readonly directory: string;
  readonly database: TestDatabase;
  /** Everything, the directory too. */
  remove(): Promise<void>;
}

export async function startOwnCluster(tables: string, settings: Readonly<Record<string, string>> = {}): Promise<OwnCluster> {
  const directory = temporaryDirectory();
  const postgres = await startPostgres({ directory: clusterDirectory(), settings: { fsync: 'off', ...settings } });
  const database = await createDatabaseOn(postgres.url);
  await database.query(tables);
  return {
    directory,
    database,
    async remove() {
      await database.drop();
      await postgres.stop();
      removeDirectory(directory);
    },
  };
}
