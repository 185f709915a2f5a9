/** A role that may do no more than a test says, in a database of the test's. */
import { streamIdOf, type TestDatabase } from '../postgres/postgres.ts';
import { urlWith } from './database-url.ts';

export interface RestrictedRole {
  /** Unique in the server. */
  readonly name: string;
  /** The database, as this role. */
  readonly url: string;
  /** With all that it owns and may do. */
  drop(): Promise<void>;
}

/** @param rights of `CREATE ROLE`, as in `REPLICATION`. */
export async function createRole(database: TestDatabase, rights: string): Promise<RestrictedRole> {
  const name = `role_of_${database.name}`;
  await database.query(`CREATE ROLE ${name} LOGIN ${rights} PASSWORD 'secret-word'`);
  return {
    name,
    url: urlWith(database.url, { username: name, password: 'secret-word' }),
    drop: async () => void (await database.query(`DROP OWNED BY ${name} CASCADE; DROP ROLE ${name}`)),
  };
}

/** The publication that a service on that database has. */
export function publicationOf(database: TestDatabase): string {
  return `electric_publication_${streamIdOf(database.url)}`;
}
