/** What stands while a seed is played: a database of a Postgres that can be torn down, the line to it, a disk, the service. */
import { createDatabaseOn, type TestDatabase } from '../support/postgres/postgres.ts';
import { nodeDisk } from '../../src/storage/disk/disk.ts';
import { CONSEQUENCES } from '../../src/storage/inspection/damage.ts';
import { verifyStorage } from '../../src/storage/inspection/verification.ts';
import { SCHEMA, SEED_ROWS } from '../oracle/schema.ts';
import { Finding } from './finding.ts';
import { Instances } from './instances.ts';
import { Line } from './line.ts';
import { RunStory } from './run-story.ts';
import type { TornCluster } from './torn-cluster.ts';
import { SessionLostError, TornSession } from './torn-session.ts';
import type { TornDisk } from './torn-disk.ts';
import { Turns } from './turns.ts';

export const LONG_POLL_MS = 400;
const ACTIVE_WITHIN_MS = 60_000;
const ENVIRONMENT = {
  ARMATURE_LONG_POLL_TIMEOUT: String(LONG_POLL_MS),
  ARMATURE_SHAPE_CHUNK_BYTES_THRESHOLD: '20000',
  ARMATURE_KEEP_EVERY_UPDATE: 'true', // What was compacted has the same rows, and other bytes than were served.
  ARMATURE_PUBLICATION_REFRESH_PERIOD: '300ms',
  ARMATURE_DRAIN_TIMEOUT: '1s',
  ARMATURE_SHAPE_HIBERNATE_AFTER: '500ms',
};

export class TortureWorld {
  /** Of what is done to the service, one thing after the other. */
  readonly serviceTurns = new Turns();

  private constructor(
    private readonly database: TestDatabase,
    readonly cluster: TornCluster,
    readonly disk: TornDisk,
    readonly line: Line,
    readonly instances: Instances,
    /** Whoever does to the database what an operator does. */
    readonly operator: TornSession,
    readonly story: RunStory,
  ) {}

  static async open(cluster: TornCluster, disk: TornDisk): Promise<TortureWorld> {
    const database = await createDatabaseOn(cluster.url);
    await database.query(SCHEMA);
    await database.query(SEED_ROWS);
    const line = await Line.to(cluster.port);
    const options = { databaseUrl: line.urlOf(database.url), storageDirectory: disk.storageDirectory, environment: ENVIRONMENT };
    const instances = await Instances.behindFront(options);
    const world = new TortureWorld(database, cluster, disk, line, instances, new TornSession(database.url), new RunStory());
    await instances.spawn();
    await world.untilWell();
    return world;
  }

  get url(): string {
    return this.database.url;
  }

  /** The name of its slot. */
  get slot(): string {
    return `electric_slot_${this.database.name}`;
  }

  get publication(): string {
    return `electric_publication_${this.database.name}`;
  }

  /** Everything stands again, and one instance is active. @throws {Finding} */
  async untilWell(): Promise<void> {
    await this.cluster.rest();
    await this.serviceTurns.take(() => this.instances.untilActive(ACTIVE_WITHIN_MS));
    this.instances.mayRefuse = false;
  }

  /** What a service that was killed has left: whole, and of no less of the stream than Postgres was told. @throws {Finding} */
  async lookAtWhatIsLeft(): Promise<void> {
    if (this.instances.running.length > 0) return; // Another one works there by now.
    const confirmed = await this.confirmed();
    const { damages, seen } = await verifyStorage(nodeDisk, this.disk.storageDirectory, () => {});
    const [damage] = damages.filter(({ consequence }) => consequence !== 'nothingLost');
    if (damage !== undefined) throw new Finding(`behind a kill: ${damage.found}. ${CONSEQUENCES[damage.consequence]}`);
    const held = BigInt(seen.log.stream.heldLsn);
    const isNew = held === 0n; // What is stored has ended, and the slot was made anew a moment ago.
    if (isNew || confirmed <= held) return;
    throw new Finding(`the slot has confirmed ${confirmed}, and the storage holds its stream up to ${held}`);
  }

  async close(): Promise<void> {
    await this.cluster.rest();
    await this.instances.close();
    await this.operator.end();
    await this.line.close();
    await this.database.drop();
  }

  /** Nothing where Postgres is away, or there is no slot. */
  private async confirmed(): Promise<bigint> {
    const sql = `SELECT (confirmed_flush_lsn - '0/0')::text AS lsn FROM pg_replication_slots WHERE slot_name = '${this.slot}'`;
    try {
      const [row] = await this.operator.query<{ lsn: string | null }>(sql);
      return BigInt(row?.lsn ?? 0);
    } catch (error) {
      if (error instanceof SessionLostError) return 0n;
      throw error;
    }
  }
}
