/** The database of a service, as its configuration has it: looked at before anything is started for it, and opened. */
import type { Clock, TimerId } from '../base/clock.ts';
import { hasFollowed, preflight, type PreflightOptions } from '../postgres/connection/preflight.ts';
import { ConfigurationError } from '../settings/configuration-error.ts';
import { NO_DATABASE } from '../settings/configuration.ts';
import type { Storage } from '../storage/storage.ts';
import { databaseCertificates, databaseOf, type AdminName, type Database } from './database.ts';
import type { Beginning } from './ground.ts';
import { storedStream } from './wiring/database.ts';

/** Before the service listens, a Postgres that is there and says nothing is given so long, where it may as well be away. */
const SILENCE_MS_MAX = 2_000;

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
  beginning.closing.add('the first connection to Postgres', () => opening);
  const { configuration: { manualTablePublishing: isManual }, world: { clock } } = beginning;
  const silence = silenceOf(stored, clock);
  const options = { ...database, isManual, stored, clock, signal: silence.signal };
  const problem = await preflight(database.target, options).finally(() => silence.end());
  if (problem !== undefined) throw new ConfigurationError(problem.message);
  if (!silence.signal.aborted) await opening;
  return database;
}

interface Silence {
  /** Aborted when it has lasted for too long. */
  readonly signal: AbortSignal;
  end(): void;
}

/** Who has yet to follow this database is told why it does not answer, and does not listen: for that there is more time. */
function silenceOf(stored: NonNullable<PreflightOptions['stored']>, clock: Clock): Silence {
  const silence = new AbortController();
  let [isOver, timer]: [boolean, TimerId | undefined] = [false, undefined];
  const begin = (isAllowed: boolean): void => {
    if (isAllowed && !isOver) timer = clock.setTimer(() => silence.abort(), SILENCE_MS_MAX);
  };
  hasFollowed({ stored }).then(begin, () => {}); // What keeps the storage from opening is heard elsewhere.
  return {
    signal: silence.signal,
    end() {
      isOver = true;
      if (timer !== undefined) clock.clearTimer(timer);
    },
  };
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
