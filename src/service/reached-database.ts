/** The database of a service, as its configuration has it: looked at before anything is started for it, and opened. */
import { preflight } from '../postgres/connection/preflight.ts';
import { ConfigurationError } from '../settings/configuration-error.ts';
import { NO_DATABASE } from '../settings/configuration.ts';
import type { Storage } from '../storage/storage.ts';
import { databaseCertificates, databaseOf, type AdminName, type Database } from './database.ts';
import type { Beginning } from './ground.ts';
import { storedStream } from './wiring/database.ts';

/**
 * The storage says which replication slot is its own: no other is touched.
 *
 * @param storage resolves with undefined while it is another instance's: whose slot it is, nobody here can say then.
 * @throws {ConfigurationError} it cannot be followed.
 */
export async function reachDatabase(beginning: Beginning, storage: Promise<Storage | undefined>): Promise<Database> {
  const stored = storage.then((opened) => (opened === undefined ? 'unknown' : storedStream(opened)));
  stored.catch(() => {}); // Perhaps nobody asks for it.
  const database = await openDatabase(beginning);
  const opening = database.adminPool.probe().catch(() => {}); // Who asks first for a table finds it open. What fails is heard below.
  const { manualTablePublishing: isManual } = beginning.configuration;
  const problem = await preflight(database.target, { ...database, isManual, stored }).finally(() => opening);
  if (problem !== undefined) throw new ConfigurationError(problem.message);
  return database;
}

/**
 * @param before that of the stage before: what was read from files at the start holds. What keeps it from Postgres by now is tried again by
 * the stage, and told.
 */
export async function openDatabase(
  { configuration, world, closing }: Beginning,
  before?: Database,
  adminName?: AdminName,
): Promise<Database> {
  const { databaseUrl } = configuration;
  if (databaseUrl === undefined) throw new ConfigurationError(NO_DATABASE);
  const ca = before === undefined ? await databaseCertificates(configuration, world.disk) : before.ca;
  const database = databaseOf(configuration, databaseUrl, ca, world.clock, adminName);
  const { adminPool, snapshotPool, movePool, subsetPool } = database;
  const pools = [adminPool, snapshotPool, movePool, subsetPool];
  closing.add('the connections to Postgres', () => Promise.all(pools.map((pool) => pool.close())));
  return database;
}
