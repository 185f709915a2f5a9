/**
 * The service: opens what it stands on, starts the tree, and gives everything back when the tree has ended.
 *
 * What can be wrong from the start (the directory, the database, a setting) is found before the tree exists, and is one
 * error with one message. From then on Postgres may come and go.
 */
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Api } from '../api/api.ts';
import type { Clock } from '../base/clock.ts';
import { Closing } from './closing.ts';
import { NO_DATABASE, type Configuration } from '../settings/configuration.ts';
import { ConfigurationError } from '../settings/configuration-error.ts';
import { databaseOf, type Database } from './database.ts';
import { dump } from './dump.ts';
import { countedMetrics, serveMetrics } from './metrics-endpoint.ts';
import { storedStream } from './wiring/database.ts';
import { followedShape, type FollowedShape, type ShapeOptions } from './followed-shape.ts';
import type { ServiceEventMap, ServiceListener, StatusEvent } from './event-types.ts';
import { ServiceEvents } from './service-events.ts';
import { configurationOf, type ServiceOptions } from './service-options.ts';
import { startError } from './start-failure.ts';
import type { StartWatch } from './start-watch.ts';
import { watchStatus } from './status-watch.ts';
import { ServiceReception } from './wiring/edge.ts';
import { stackWiring } from './wiring/stack.ts';
import type { ShapeLives } from './wiring/tables.ts';
import { watchesOf } from './wiring/telemetry.ts';
import { fetchHandler } from '../http/web/fetch-handler.ts';
import type { FetchHandler, FetchHandlerOptions } from '../http/web/handler-types.ts';
import { InspectionPortTakenError, startInspectionServer, type InspectionOptions } from '../observer/inspection-server.ts';
import type { ExitReason, Pid } from '../otp/process.ts';
import { createRuntime, type Runtime } from '../otp/runtime.ts';
import { supervisor } from '../otp/supervision/supervisor.ts';
import { preflight } from '../postgres/connection/preflight.ts';
import { loadWhereLanguage } from '../sql/where-language.ts';
import { errorOf } from '../storage/errors.ts';
import { memoryStorage } from '../storage/memory-storage.ts';
import { RowLineFolder } from '../shapes/row-line-folder.ts';
import type { Disk } from '../storage/disk/disk.ts';
import type { AwaitedLock } from '../storage/disk/directory-lock.ts';
import { openStorage } from '../storage/open-storage.ts';
import type { Storage } from '../storage/storage.ts';
import { stack } from '../supervisors/stack.ts';
import { logLifecycle } from '../telemetry/lifecycle-log.ts';
import { forwardingLogger } from '../telemetry/forwarding-logger.ts';
import { RecentDeaths } from '../telemetry/recent-deaths.ts';
import { humanLines } from '../telemetry/human-lines.ts';
import { createLogger } from '../telemetry/logger.ts';
import { ServiceTroubles } from '../telemetry/service-troubles.ts';
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
 * @returns the service once it listens; it may be `starting` still, or `waiting` for another instance to end.
 * @throws {ConfigurationError} an option, or the database, cannot be used: each mistake is a line that says what to do.
 * @throws {PortTakenError | AddressRefusedError | InspectionPortTakenError} it cannot listen.
 * @throws {StorageDirectoryError | StorageLockedError | StorageVersionError | UnknownContentError | DiskError} of the storage directory.
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
    return await start(configuration, { world, watch, logger, closing });
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

/** What a start begins with. */
interface Beginning {
  readonly world: World;
  readonly watch: StartWatch;
  readonly logger: Logger;
  readonly closing: Closing;
}

async function start(configuration: Configuration, { world, watch, logger, closing }: Beginning): Promise<Service> {
  const { storage, database, language } = await reachGround(configuration, { world, watch, logger, closing });
  const runtime = createRuntime({ clock: world.clock });
  logLifecycle(runtime, logger);
  const deaths = new RecentDeaths(runtime, world.clock);
  for (const note of storage.notes) logger.warn(note);
  if (configuration.ignored.length > 0) logger.warn({ variables: configuration.ignored }, 'settings without a meaning here are ignored');
  const events = new ServiceEvents((error, event) => logger.error({ err: error, event }, 'a listener failed'));
  const reception = new ServiceReception();
  const metrics = countedMetrics(configuration, world, runtime, closing);
  const watches = watchesOf(metrics, world.clock);
  const troubles = new ServiceTroubles(world.clock);
  const resources = { configuration, world, logger, storage, language, database, runtime, watches, troubles };
  const wiring = stackWiring(resources, { reception, lives: toldLives(events, logger), opened: (close) => closing.add(close) });
  const { api } = wiring;
  const metricsUrl = metrics && (await serveMetrics(metrics, resources, api, closing));
  let url = ''; // It is where it listens, as soon as it does.
  const observerUrl = (): string | undefined => (url !== '' && configuration.observer ? `${url}/_observer` : undefined);
  const { inspect, inspectPort } = configuration;
  const inspectionUrl = inspect ? await inspected({ runtime, port: inspectPort, observerUrl }, closing) : undefined;
  if (inspectionUrl !== undefined) logger.info({ url: inspectionUrl }, 'the inspection protocol of xstate is streamed');
  const root = await runtime.start(supervisor(stack(wiring)), { id: 'stack' });
  closing.add(() => runtime.stop(root)); // The tree stops before what it stands on is closed.
  if (configuration.listens !== false) url = await listeningAt(runtime);
  if (url !== '') logger.info({ url }, 'the service listens');
  const unwatch = watchStatus(runtime, world.clock, (level) => events.emit(level, { level }));
  closing.add(() => Promise.resolve(unwatch()));
  const service = serviceOf({ runtime, root, url, closing, api, reception, events, configuration, clock: world.clock, unwatch });
  return { ...service, metricsUrl, observerUrl: observerUrl(), inspectionUrl, dump: () => dump(resources, api, deaths) };
}

/** What it stands on, each while the others are on their way. What is wrong with the storage is said first. */
async function reachGround(configuration: Configuration, { world, watch, logger, closing }: Beginning) {
  const opening = reachStorage(configuration, world, watch, logger);
  opening.then(() => watch.step?.({ what: 'database' }), () => {}); // What keeps it from opening is heard below.
  const reaching = reachDatabase(configuration, world.disk, opening, closing);
  const loading = loadWhereLanguage();
  await Promise.allSettled([reaching, loading]); // Of which nothing is left open, whatever the storage says.
  const storage = await opening;
  closing.add(() => storage.close());
  return { storage, database: await reaching, language: await loading };
}

/** The storage says which replication slot is its own: no other is touched. */
async function reachDatabase(configuration: Configuration, disk: Disk, opening: Promise<Storage>, closing: Closing): Promise<Database> {
  const { databaseUrl } = configuration;
  if (databaseUrl === undefined) throw new ConfigurationError(NO_DATABASE);
  const database = await databaseOf(configuration, databaseUrl, disk);
  const stored = opening.then(storedStream);
  stored.catch(() => {}); // Perhaps nobody asks for it.
  const problem = await preflight(database.target, { ...database, stored });
  if (problem !== undefined) throw new ConfigurationError(problem.message);
  closing.add(() => database.adminPool.close());
  closing.add(() => database.snapshotPool.close());
  closing.add(() => database.movePool.close());
  closing.add(() => database.subsetPool.close());
  return database;
}

/** Listeners hear of it in their own time, and the log at once: so its lines are in the order of what happened. */
function toldLives(events: ServiceEvents, logger: Logger): ShapeLives {
  return {
    started: (handle, definition) => events.started(handle, definition),
    ended: (handle, definition) => events.ended(handle, definition),
    restoring(restored, of) {
      if (restored === 0) logger.info({ count: of }, 'shapes.restoring');
      events.restoring(restored, of);
    },
  };
}

async function reachStorage(
  { storage, storageDirectory, chunkBytesMax, keepEveryUpdate }: Configuration,
  { clock, disk }: World,
  { step }: StartWatch,
  logger: Logger,
): Promise<Storage> {
  if (storage === 'memory') return memoryStorage({ clock, chunkBytesMax });
  step?.({ what: 'storage' });
  const begunMs = clock.nowMs();
  logger.info({ directory: storageDirectory }, 'storage.opening'); // A large log takes its time.
  const logRead = step && ((done: number, of: number): void => step({ what: 'log', done, of }));
  const folder = keepEveryUpdate ? undefined : new RowLineFolder();
  const lockAwaited = ({ host, pid, forMs }: AwaitedLock): void => {
    step?.({ what: 'lock' });
    logger.warn({ directory: storageDirectory, host, pid, forMsMax: forMs, advice: LOCK_ADVICE }, 'storage.lockAwaited');
  };
  const opened = await openStorage({ directory: storageDirectory, clock, disk, chunkBytesMax, folder, logRead, lockAwaited });
  logger.info({ durationMs: Math.round(clock.nowMs() - begunMs) }, 'storage.opened');
  return opened;
}

const LOCK_ADVICE =
  'The process that has the lock of the storage cannot be looked at from here, so it is waited for a sign of life of it. Without one the ' +
  'storage is taken over: nothing has to be done where that process was killed. Until then nothing is served.';

async function inspected(options: InspectionOptions, closing: Closing): Promise<string> {
  const inspection = await startInspectionServer(options);
  closing.add(() => inspection.close());
  return inspection.url;
}

async function listeningAt(runtime: Runtime): Promise<string> {
  const { host, port } = (await runtime.call('@http', { type: 'listenAddress' })) as unknown as { host: string; port: AddressInfo['port'] };
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** What runs, and what a program reaches it by. */
interface RunningParts {
  readonly runtime: Runtime;
  readonly root: Pid;
  readonly url: string;
  readonly closing: Closing;
  readonly api: Api;
  readonly reception: ServiceReception;
  readonly events: ServiceEvents;
  readonly configuration: Configuration;
  readonly clock: Clock;
  /** No level is told any more. */
  unwatch(): void;
}

type ServiceOfParts = Omit<Service, 'metricsUrl' | 'observerUrl' | 'inspectionUrl' | 'dump'>;

function serviceOf(parts: RunningParts): ServiceOfParts {
  const { runtime, root, url, closing, api, reception, events, configuration, clock } = parts;
  const leaving = new AbortController();
  let isStopping = false;
  const ended = runtime.whenDown(root).then(async (reason) => {
    leaving.abort();
    const closed = closing.all();
    if (!isStopping) return whyEnded(reason, await closed.then(() => undefined, errorOf));
    await closed;
    return undefined;
  });
  ended.then((failure) => events.emit('ended', { failure }), () => {}); // Whoever waits for it is told of what it rejects with.
  return {
    url,
    runtime,
    ended,
    status: () => ({ level: api.level(), ...api.standing() }),
    cause: async () => await api.cause(true),
    load: () => api.load(),
    on: (name, listener) => events.on(name, listener),
    shape: (options) => followedShape({ api, clock }, options, leaving.signal),
    fetchHandler(options = {}) {
      if (typeof options.authorize !== 'function') requireSecret(configuration, options.authorize);
      return fetchHandler(() => reception.dispatcher, options);
    },
    async stop() {
      isStopping = true;
      parts.unwatch(); // That it lacks something from now on is no news.
      leaving.abort();
      await runtime.stop(root);
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
function whyEnded(reason: ExitReason, failure: Error | undefined): string {
  const also = failure === undefined ? '' : `; it could not close in good order: ${failure.message}`;
  return `the service gave up: ${JSON.stringify(reason)}${also}`;
}
