/**
 * The service: opens what it stands on, starts the tree, and gives everything back when the tree has ended.
 *
 * What can be wrong from the start (the directory, the database, a setting) is found before the tree exists, and is one
 * error with one message. From then on Postgres may come and go.
 */
import type { Logger } from 'pino';
import { Closing } from './closing.ts';
import type { Configuration } from '../settings/configuration.ts';
import { ConfigurationError } from '../settings/configuration-error.ts';
import { dump } from './dump.ts';
import { followedShape, type FollowedShape, type ShapeOptions } from './followed-shape.ts';
import type { ServiceEventMap, ServiceListener, StatusEvent } from './event-types.ts';
import { groundOf, type Beginning, type Ground } from './ground.ts';
import { reachStorage } from './reached-storage.ts';
import { configurationOf, type ServiceOptions } from './service-options.ts';
import { reachDatabase } from './reached-database.ts';
import { openSideSockets } from './side-sockets.ts';
import { Stages } from './stage.ts';
import { firstStage, tenureOf } from './tenure.ts';
import { startError, startFailure } from './start-failure.ts';
import type { StartWatch } from './start-watch.ts';
import { watchStatus } from './status-watch.ts';
import { fetchHandler } from '../http/web/fetch-handler.ts';
import type { FetchHandler, FetchHandlerOptions } from '../http/web/handler-types.ts';
import { InspectionPortTakenError } from '../observer/inspection-server.ts';
import type { Runtime } from '../otp/runtime.ts';
import { errorOf } from '../storage/errors.ts';
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
  /**
   * Why it is not active, in a sentence for whoever runs it: since when, and when it is tried again. When it is active, what it waits for
   * all the same (its disk, a pooler) or that it sleeps; undefined where there is nothing to say.
   */
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
  /** What its end waits for, in a few words for whoever finds it slow; undefined while it runs, and when nothing is left. */
  ending(): string | undefined;
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
  const tenure = tenureOf(closing);
  const { storage, database, ground } = await reachAll(beginning, tenure);
  const sockets = await openSideSockets(ground);
  const stages = new Stages(ground.runtime, await firstStage(ground, sockets, tenure, { storage, database }));
  const { runtime, events } = ground;
  const unwatch = watchStatus(runtime, world.clock, (level) => events.emit(level, { level }));
  closing.add('the status', () => Promise.resolve(unwatch()));
  return serviceOf({ ground, configuration, stages, url: stages.current.url, unwatch });
}

/** What it stands on, each while the others are on their way. What is wrong with the storage is said first. */
async function reachAll(beginning: Beginning, tenure: Closing) {
  const { watch } = beginning;
  const opening = reachStorage(beginning);
  opening.then(() => watch.step?.({ what: 'database' }), () => {}); // What keeps it from opening is heard below.
  const reaching = reachDatabase({ ...beginning, closing: tenure }, opening);
  const laying = groundOf(beginning);
  await Promise.allSettled([reaching, laying]); // Of which nothing is left open, whatever the storage says.
  const storage = await opening;
  if (storage !== undefined) tenure.add('the storage', () => storage.close());
  return { storage, database: await reaching, ground: await laying };
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
  let hasEnded = false;
  const last = stages.ended.then((reason) => `the service gave up: ${JSON.stringify(reason)}`, startFailure);
  const ended = last.then(async (why) => {
    hasEnded = true;
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
    ending: () => closing.waitsFor ?? (isStopping && !hasEnded ? 'the tree of processes' : undefined),
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
