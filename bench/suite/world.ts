/**
 * Where a workload is measured: a database on the Postgres of the run, services on it, and processes that do the bare minimum beside them.
 * A workload has a world to itself, so that none pays for the shapes of another. A run that only looks whether all of them work may have
 * them share one.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { spawnService, type ServiceOptions, type ServiceProcess } from '../../test/support/service/service-process.ts';
import { openDatabase, type Database } from '../database.ts';
import { startPeer, type Peer, type PeerFile } from '../peers/peer.ts';
import { startService, type Service } from '../service.ts';

/** Durable, as it is by default: what a commit costs is a part of what is measured. */
const SERVER_SETTINGS = {
  shared_buffers: '256MB',
  max_wal_size: '8GB',
  autovacuum: 'off',
  wal_sender_timeout: '0', // A service is held still while a backlog is written, or while another one is measured.
};

/** What the workloads ask for that no deployment would: shapes end between two rounds, and thousands wait for minutes. */
const ENVIRONMENT = {
  ARMATURE_ENABLE_DELETION: 'true',
  ARMATURE_LONG_POLL_TIMEOUT: '10m',
  ARMATURE_MAX_CONCURRENT_REQUESTS: '{"initial":300,"existing":1000000}',
};

const HASTY_QUIET_MS = 50;

type Environment = Readonly<Record<string, string>>;

export interface World {
  readonly database: Database;
  /** For files that end with it; it lies where the storage of the services does. */
  readonly directory: string;
  /** Of a second that writes while the first one waits. */
  session(): Promise<Database>;
  /** A service of the built kind that is active, with a storage and a slot of its own; it ends with the world. */
  service(environment?: Environment): Promise<Service>;
  /** One to which nothing has come yet; it ends with `use`. */
  withService<Result>(use: (service: Service) => Promise<Result>, environment?: Environment): Promise<Result>;
  /** The same as often as it is called, always with the same storage; not waited for, and not ended by the world. */
  restartable(): () => Promise<ServiceProcess>;
  /** @param args what it is told on its command line. */
  peer(file: PeerFile, ...args: readonly string[]): Promise<Peer>;
}

export interface GroundOptions {
  /** One world for all workloads, and in it one service, and one process of each kind, for those that ask for the same. */
  readonly isShared: boolean;
  /** Of a Postgres that is there: none is started then. */
  readonly url?: string;
}

/** The Postgres of a run. */
export class Ground {
  private worlds = 0;
  private shared: LastingWorld | undefined;
  private constructor(
    private readonly postgres: Pick<EmbeddedPostgres, 'url' | 'stop'>,
    private readonly directory: string,
    private readonly isShared: boolean,
  ) {}

  static async open({ isShared, url }: GroundOptions): Promise<Ground> {
    const directory = mkdtempSync(join(tmpdir(), 'armature-bench-'));
    const start = (): Promise<EmbeddedPostgres> =>
      startEmbeddedPostgres({ directory: join(directory, 'postgres'), settings: SERVER_SETTINGS });
    return new Ground(url === undefined ? await start() : { url, stop: () => Promise.resolve() }, directory, isShared);
  }

  /** The world is gone when `use` has settled, with all that it holds. */
  async inWorld<Result>(use: (world: World) => Promise<Result>): Promise<Result> {
    if (this.isShared) return await use((this.shared ??= await this.make()));
    const world = await this.make();
    try {
      return await use(world);
    } finally {
      await world.end();
    }
  }

  async close(): Promise<void> {
    await this.shared?.end();
    await this.postgres.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  private async make(): Promise<LastingWorld> {
    this.worlds += 1;
    const name = `bench_${process.pid}_${this.worlds}`;
    const server = await openDatabase(this.postgres.url);
    await server.query(`CREATE DATABASE ${name}`);
    const url = new URL(this.postgres.url);
    url.pathname = `/${name}`;
    const drop = async (): Promise<void> => {
      await server.query(`SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '${name}'`);
      await server.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await server.close();
    };
    const lasting = { url: url.href, directory: join(this.directory, name), isShared: this.isShared, drop };
    return new LastingWorld(await openDatabase(url.href), lasting);
  }
}

interface Lasting {
  readonly url: string;
  readonly directory: string;
  readonly isShared: boolean;
  /** When nobody uses the database any more. */
  readonly drop: () => Promise<void>;
}

class LastingWorld implements World {
  readonly directory: string;
  private readonly ends: (() => Promise<unknown>)[] = [];
  private readonly made = new Map<string, Promise<unknown>>();
  private services = 0;
  constructor(
    readonly database: Database,
    private readonly lasting: Lasting,
  ) {
    this.directory = lasting.directory;
    mkdirSync(this.directory, { recursive: true });
  }

  async session(): Promise<Database> {
    const database = await openDatabase(this.lasting.url);
    this.ends.push(() => database.close());
    return database;
  }

  async service(environment: Environment = {}): Promise<Service> {
    return await this.once(`service ${JSON.stringify(environment)}`, async () => {
      const service = await this.start(environment);
      this.ends.push(() => service.stop());
      return service;
    });
  }

  async withService<Result>(use: (service: Service) => Promise<Result>, environment: Environment = {}): Promise<Result> {
    if (this.lasting.isShared) return await use(await this.service(environment));
    const service = await this.start(environment);
    try {
      return await use(service);
    } finally {
      await service.stop();
    }
  }

  restartable(): () => Promise<ServiceProcess> {
    const options = this.optionsOf({});
    return () => spawnService(options);
  }

  async peer(file: PeerFile, ...args: readonly string[]): Promise<Peer> {
    return await this.once([file, ...args].join(' '), async () => {
      const peer = this.hastened(await startPeer(file, args));
      this.ends.push(() => peer.end());
      return peer;
    });
  }

  /** What began last ends first. */
  async end(): Promise<void> {
    for (const end of this.ends.reverse()) await end();
    await this.database.close();
    await this.lasting.drop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  private async start(environment: Environment): Promise<Service> {
    const options = this.optionsOf(environment);
    return this.hastened(await startService(options.databaseUrl, options.storageDirectory, options.environment));
  }

  private optionsOf(environment: Environment): ServiceOptions {
    this.services += 1;
    const { url } = this.lasting;
    const stream = `${new URL(url).pathname.slice(1)}_${this.services}`;
    return {
      databaseUrl: url,
      storageDirectory: join(this.directory, `storage-${this.services}`),
      environment: { ARMATURE_LOG_LEVEL: 'warn', ARMATURE_REPLICATION_STREAM_ID: stream, ...ENVIRONMENT, ...environment },
    };
  }

  /** Where nothing that is measured means anything, nobody waits for silence. */
  private hastened<Process extends { readonly quietMs: number }>(process: Process): Process {
    return this.lasting.isShared ? { ...process, quietMs: HASTY_QUIET_MS } : process;
  }

  /** Made for whoever asks, or once for all who ask for the same. */
  private async once<Made>(key: string, make: () => Promise<Made>): Promise<Made> {
    if (!this.lasting.isShared) return await make();
    const made = (this.made.get(key) as Promise<Made> | undefined) ?? make(); // A key is made in one place, of one type.
    this.made.set(key, made);
    return await made;
  }
}
