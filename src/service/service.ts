/**
 * The service: opens what it stands on, starts the tree, and gives everything back when the tree has ended.
 *
 * What can be wrong from the start (the directory, the database, a setting) is found before the tree exists, and is one
 * error with one message. From then on Postgres may come and go.
 */
import type { Logger } from 'pino';
import { Closing } from './closing.ts';
import { NO_DATABASE, type Configuration } from '../settings/configuration.ts';
import { ConfigurationError } from '../settings/configuration-error.ts';
import { databaseCertificates, databaseOf, type AdminName, type Database } from './database.ts';
import { dump } from './dump.ts';
import { storedStream } from './wiring/database.ts';
import { followedShape, type FollowedShape, type ShapeOptions } from './followed-shape.ts';
import type { ServiceEventMap, ServiceListener, StatusEvent } from './event-types.ts';
import { groundOf, type Beginning, type Ground } from './ground.ts';
import { reachStorage } from './reached-storage.ts';
import { configurationOf, type ServiceOptions } from './service-options.ts';
import { openSideSockets, type SideSockets } from './side-sockets.ts';
import { startStack } from './stack-stage.ts';
import { Stages, type NextStage, type Stage } from './stage.ts';
import { startStandby } from './standby-stage.ts';
import { startError, startFailure } from './start-failure.ts';
import type { StartWatch } from './start-watch.ts';
import { watchStatus } from './status-watch.ts';
import { fetchHandler } from '../http/web/fetch-handler.ts';
import type { FetchHandler, FetchHandlerOptions } from '../http/web/handler-types.ts';
import { InspectionPortTakenError } from '../observer/inspection-server.ts';
import type { Runtime } from '../otp/runtime.ts';
import { preflight } from '../postgres/connection/preflight.ts';
import { standbyName } from '../postgres/connection/sleep-port.ts';
import { errorOf } from '../storage/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { forwardingLogger } from '../telemetry/forwarding-logger.ts';
import { humanLines } from '../telemetry/human-lines.ts';
import { createLogger } from '../telemetry/logger.ts';
import { systemWorld, type World } from './world.ts';

export { InspectionPortTakenError };

/** A service that runs, in this process. */
export interface Service {
  /** `http://host:port`; empty when it opens no port. */
  readonly url: string;
  /** `http://host:port/metrics`; undefined unless a port for Prometheus is set. */
  readonly metricsUrl: string | undefined;
  /** `http://host:port/_observer`; undefined where the service does not show itself, or opens no port. */
  readonly observerUrl: string | undefined;
  /** `http://127.0.0.1:port`, where the inspection protocol of xstate is streamed; undefined unless `inspect` is set. */
  readonly inspectionUrl: string | undefined;
  /** The processes, for an observer or a test. */
  readonly runtime: Runtime;
  /** Resolves when the tree has ended: undefined after `stop`, else why it gave up. */
  readonly ended: Promise<string | undefined>;
  /** How it stands, and what it waits for if it is not active. */
  status(): ServiceStanding;
  /** Why it is not active, in a sentence for whoever runs it: since when, and when it is tried again. Undefined when it is active. */
  cause(): Promise<string | undefined>;
  /** Requests under way, that may make a shape and for shapes that exist; and how many of all wait for a shape to change. */
  load(): ServiceLoad;
  /** Has `listener` told of each such event from now on. @returns how to end it. */
  on<Name extends keyof ServiceEventMap>(name: Name, listener: ServiceListener<Name>): () => void;
  /** A shape, for this program: nothing is asked for before somebody follows it. */
  shape(options: ShapeOptions): FollowedShape;
  /**
   * A handler for the web's `Request`, for a program that has a server of its own.
   *
   * @throws {ConfigurationError} when nobody decides who may read: there is no `authorize`, and the service has no secret and is not
   * insecure.
   */
  fetchHandler(options?: FetchHandlerOptions): FetchHandler;
  /**
   * The process tree with states and mailboxes, the last deaths, memory and the delay of the event loop, as text for an operator. Its
   * length does not grow with the shapes.
   */
  dump(): Promise<string>;
  /** Drains: parked requests are answered, what is taken is stored. Resolves when nothing of the service is left. */
  stop(): Promise<void>;
}

/** Requests at one moment, by what is counted. */
export type ServiceLoad = Readonly<Record<'initial' | 'existing' | 'parked', number>>;

export interface ServiceStanding extends StatusEvent {
  /** Stored shapes are loaded, and can be read. */
  readonly isReadable: boolean;
  /** What is missing for `active`. */
  readonly why: string | undefined;
}

/**
 * Starts the service in this process.
 *
 * @param options or a configuration that was read from flags and variables.
 * @param world clock, randomness and disk; by default those of this machine.
 * @param watch told how the start goes on; by default nobody is.
 * @returns the service once it listens; it may be `starting` still, or `waiting` for another instance to end, also for one that works in
 * the same storage directory.
 * @throws {ConfigurationError} an option, or the database, cannot be used: each mistake is a line that says what to do.
 * @throws {PortTakenError | AddressRefusedError | InspectionPortTakenError} it cannot listen.
 * @throws {StorageDirectoryError | StorageVersionError | UnknownContentError | DiskError} of the storage directory.
 * Whatever is thrown, nothing is left open.
 */
export async function startService(
  options: ServiceOptions | Configuration,
  world: World = systemWorld,
  watch: StartWatch = {},
): Promise<Service> {
  const configuration = 'command' in options ? options : configurationOf(options);
  const logger = loggerOf(options, configuration, watch);
  const closing = new Closing();
  try {
    return await start({ configuration, world, watch, logger, closing });
  } catch (error) {
    await closing.all().catch(() => {}); // What kept it from starting is what there is to say.
    throw startError(error);
  }
}

function loggerOf(options: ServiceOptions | Configuration, { logLevel }: Configuration, { logLines }: StartWatch): Logger {
  const own = 'logger' in options && typeof options.logger === 'object' ? options.logger : undefined;
  if (own !== undefined) return forwardingLogger(own);
  const destination = logLines?.form === 'human' ? humanLines(logLines) : logLines;
  return createLogger({ level: logLevel, ...(destination === undefined ? {} : { destination }) });
}

async function start(beginning: Beginning): Promise<Service> {
  const { configuration, world, closing } = beginning;
  const { ground, storage, database } = await reachAll(beginning);
  const sockets = await openSideSockets(ground);
  const { stage, next } = await firstStage(ground, sockets, storage, database);
  const { runtime, events } = ground;
  const unwatch = watchStatus(runtime, world.clock, (level) => events.emit(level, { level }));
  closing.add(() => Promise.resolve(unwatch()));
  return serviceOf({ ground, configuration, stages: new Stages(runtime, stage, next), url: stage.url, unwatch });
}

/** What it stands on, each while the others are on their way. What is wrong with the storage is said first. */
async function reachAll(beginning: Beginning) {
  const { watch, closing } = beginning;
  const opening = reachStorage(beginning);
  opening.then(() => watch.step?.({ what: 'database' }), () => {}); // What keeps it from opening is heard below.
  const reaching = reachDatabase(beginning, opening);
  const laying = groundOf(beginning);
  await Promise.allSettled([reaching, laying]); // Of which nothing is left open, whatever the storage says.
  const storage = await opening;
  if (storage !== undefined) closing.add(() => storage.close());
  return { storage, database: await reaching, ground: await laying };
}

/** The stack where the storage is ours, and otherwise a standby that waits for it. */
async function firstStage(
  ground: Ground,
  sockets: SideSockets,
  storage: Storage | undefined,
  database: Database,
): Promise<{ readonly stage: Stage; readonly next?: NextStage }> {
  if (storage !== undefined) return { stage: await startStack({ ground, sockets, storage, database }) };
  const viewed = await openDatabase(ground, database, standbyName); // Whoever works in the storage is to see that we wait.
  await database.adminPool.close();
  return await startStandby(ground, sockets, viewed, () => openDatabase(ground, database));
}

/**
 * The storage says which replication slot is its own: no other is touched.
 *
 * @param storage resolves with undefined while it is another instance's: whose slot it is, nobody here can say then.
 */
async function reachDatabase(beginning: Beginning, storage: Promise<Storage | undefined>): Promise<Database> {
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
 * @param before that of the stage before, in an instance that takes over: what was read from files at the start holds. What keeps it from
 * Postgres by now is tried again by the stack, and told.
 */
async function openDatabase({ configuration, world, closing }: Beginning, before?: Database, adminName?: AdminName): Promise<Database> {
  const { databaseUrl } = configuration;
  if (databaseUrl === undefined) throw new ConfigurationError(NO_DATABASE);
  const ca = before === undefined ? await databaseCertificates(configuration, world.disk) : before.ca;
  const database = databaseOf(configuration, databaseUrl, ca, world.clock, adminName);
  const { adminPool, snapshotPool, movePool, subsetPool } = database;
  for (const pool of [adminPool, snapshotPool, movePool, subsetPool]) closing.add(() => pool.close());
  return database;
}

/** What runs, and what a program reaches it by. */
interface RunningParts {
  readonly ground: Ground;
  readonly configuration: Configuration;
  readonly stages: Stages;
  readonly url: string;
  /** No level is told any more. */
  unwatch(): void;
}

function serviceOf({ ground, configuration, stages, url, unwatch }: RunningParts): Service {
  const { runtime, closing, reception, events, deaths, world } = ground;
  const { clock } = world;
  const leaving = new AbortController();
  let isStopping = false;
  const last = stages.ended.then((reason) => `the service gave up: ${JSON.stringify(reason)}`, startFailure);
  const ended = last.then(async (why) => {
    leaving.abort();
    const closed = closing.all();
    if (!isStopping) return whyEnded(why, await closed.then(() => undefined, errorOf));
    await closed;
    return undefined;
  });
  ended.then((failure) => events.emit('ended', { failure }), () => {}); // Whoever waits for it is told of what it rejects with.
  const living = {
    clock,
    get api() {
      return stages.current.api;
    },
  };
  return {
    url,
    get metricsUrl() {
      return stages.current.metricsUrl;
    },
    get observerUrl() {
      return stages.current.observerUrl;
    },
    get inspectionUrl() {
      return stages.current.inspectionUrl;
    },
    runtime,
    ended,
    status: () => ({ level: living.api.level(), ...living.api.standing() }),
    cause: async () => await living.api.cause(true),
    load: () => living.api.load(),
    on: (name, listener) => events.on(name, listener),
    shape: (options) => followedShape(living, options, leaving.signal),
    fetchHandler(options = {}) {
      if (typeof options.authorize !== 'function') requireSecret(configuration, options.authorize);
      return fetchHandler(() => reception.dispatcher, options);
    },
    dump: () => dump(ground, living.api, deaths),
    async stop() {
      isStopping = true;
      unwatch(); // That it lacks something from now on is no news.
      leaving.abort();
      await stages.stop();
      await ended;
    },
  };
}

/** @param authorize what was given in place of a function. */
function requireSecret({ secret, insecure }: Configuration, authorize: unknown): void {
  if (authorize !== undefined) throw new ConfigurationError('authorize must be a function, or be left out: then the secret is asked for.');
  if (secret !== undefined || insecure) return;
  throw new ConfigurationError(
    'fetchHandler would let nobody in: give it authorize, which decides about each request, or start the service with secret, ' +
      'or with insecure: true to let everybody read.',
  );
}

/** Both reasons are told: what made the service give up may also have kept it from closing in good order. */
function whyEnded(why: string, failure: Error | undefined): string {
  return failure === undefined ? why : `${why}; it could not close in good order: ${failure.message}`;
}
