/**
 * The service: opens what it stands on, starts the tree, and gives everything back when the tree has ended.
 *
 * What can be wrong from the start (the directory, the database, a setting) is found before the tree exists, and is one
 * error with one message. From then on Postgres may come and go.
 */
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { Closing } from './closing.ts';
import { NO_DATABASE, type Configuration } from '../settings/configuration.ts';
import { ConfigurationError } from '../settings/configuration-error.ts';
import { databaseOf, type Database } from './database.ts';
import { dump } from './dump.ts';
import { countedMetrics, serveMetrics } from './metrics-endpoint.ts';
import { storedStream } from './wiring/database.ts';
import { stackWiring } from './wiring/stack.ts';
import { watchesOf } from './wiring/telemetry.ts';
import { startInspectionServer } from '../observer/inspection-server.ts';
import type { ExitReason, Pid } from '../otp/process.ts';
import { createRuntime, type Runtime } from '../otp/runtime.ts';
import { supervisor } from '../otp/supervision/supervisor.ts';
import { preflight } from '../postgres/connection/preflight.ts';
import { loadWhereLanguage } from '../sql/where-language.ts';
import { errorOf } from '../storage/errors.ts';
import { memoryStorage } from '../storage/memory-storage.ts';
import { openStorage } from '../storage/open-storage.ts';
import type { Storage } from '../storage/storage.ts';
import { stack } from '../supervisors/stack.ts';
import { logLifecycle } from '../telemetry/lifecycle-log.ts';
import { RecentDeaths } from '../telemetry/recent-deaths.ts';
import { createLogger } from '../telemetry/logger.ts';
import { ServiceTroubles } from '../telemetry/service-troubles.ts';
import { systemWorld, type World } from './world.ts';

export interface Service {
  /** `http://host:port`. */
  readonly url: string;
  /** `http://host:port/metrics`; undefined unless a port for Prometheus is set. */
  readonly metricsUrl: string | undefined;
  /** The processes, for an observer or a test. */
  readonly runtime: Runtime;
  /** Resolves when the tree has ended: undefined after `stop`, else why it gave up. */
  readonly ended: Promise<string | undefined>;
  /**
   * The process tree with states and mailboxes, the last deaths, memory and the delay of the event loop, as text for an operator. Its
   * length does not grow with the shapes.
   */
  dump(): Promise<string>;
  /** Drains: parked requests are answered, what is taken is stored. Resolves when nothing of the service is left. */
  stop(): Promise<void>;
}

/**
 * @throws {ConfigurationError} and the errors of storage, database and server, each with a message that says what to
 * do; nothing is left open.
 */
export async function startService(configuration: Configuration, world: World = systemWorld): Promise<Service> {
  const logger = createLogger({ level: configuration.logLevel });
  const closing = new Closing();
  try {
    return await start(configuration, world, logger, closing);
  } catch (error) {
    await closing.all().catch(() => {}); // What kept it from starting is what there is to say.
    throw error;
  }
}

async function start(configuration: Configuration, world: World, logger: Logger, closing: Closing): Promise<Service> {
  const storage = await reachStorage(configuration, world);
  closing.add(() => storage.close());
  const database = await reachDatabase(configuration, storage, closing);
  const runtime = createRuntime({ clock: world.clock });
  logLifecycle(runtime, logger);
  const deaths = new RecentDeaths(runtime, world.clock);
  for (const note of storage.notes) logger.warn(note);
  if (configuration.ignored.length > 0) logger.warn({ variables: configuration.ignored }, 'settings without a meaning here are ignored');
  const language = await loadWhereLanguage();
  const metrics = countedMetrics(configuration, world, runtime, closing);
  const watches = watchesOf(metrics, world.clock);
  const troubles = new ServiceTroubles(world.clock);
  const resources = { configuration, world, logger, storage, language, database, runtime, watches, troubles };
  const wiring = stackWiring(resources, (close) => closing.add(close));
  const metricsUrl = metrics && (await serveMetrics(metrics, resources, wiring.api, closing));
  if (configuration.inspect) {
    const inspection = await startInspectionServer({ runtime, port: configuration.inspectPort });
    closing.add(() => inspection.close());
    process.stdout.write(`Inspection protocol of xstate at ${inspection.url}\n`);
  }
  const root = await runtime.start(supervisor(stack(wiring)), { id: 'stack' });
  closing.add(() => runtime.stop(root)); // The tree stops before what it stands on is closed.
  const url = await listeningAt(runtime);
  logger.info({ url }, 'the service listens');
  return { ...serviceOf(runtime, root, url, closing), metricsUrl, dump: () => dump(resources, wiring.api, deaths) };
}

/** The storage says which replication slot is its own: no other is touched. */
async function reachDatabase(configuration: Configuration, storage: Storage, closing: Closing): Promise<Database> {
  const { databaseUrl } = configuration;
  if (databaseUrl === undefined) throw new ConfigurationError(NO_DATABASE);
  const database = databaseOf(configuration, databaseUrl);
  const problem = await preflight(databaseUrl, { ...database, stored: storedStream(storage) });
  if (problem !== undefined) throw new ConfigurationError(problem.message);
  closing.add(() => database.adminPool.close());
  closing.add(() => database.snapshotPool.close());
  closing.add(() => database.movePool.close());
  closing.add(() => database.subsetPool.close());
  return database;
}

async function reachStorage({ storage, storageDirectory, chunkBytesMax }: Configuration, { clock, disk }: World): Promise<Storage> {
  if (storage === 'memory') return memoryStorage({ clock, chunkBytesMax });
  return await openStorage({ directory: storageDirectory, clock, disk, chunkBytesMax });
}

async function listeningAt(runtime: Runtime): Promise<string> {
  const { host, port } = (await runtime.call('@http', { type: 'listenAddress' })) as unknown as { host: string; port: AddressInfo['port'] };
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function serviceOf(runtime: Runtime, root: Pid, url: string, closing: Closing): Omit<Service, 'metricsUrl' | 'dump'> {
  let isStopping = false;
  const ended = runtime.whenDown(root).then(async (reason) => {
    const closed = closing.all();
    if (!isStopping) return whyEnded(reason, await closed.then(() => undefined, errorOf));
    await closed;
    return undefined;
  });
  return {
    url,
    runtime,
    ended,
    async stop() {
      isStopping = true;
      await runtime.stop(root);
      await ended;
    },
  };
}

/** Both reasons are told: what made the service give up may also have kept it from closing in good order. */
function whyEnded(reason: ExitReason, failure: Error | undefined): string {
  const also = failure === undefined ? '' : `; it could not close in good order: ${failure.message}`;
  return `the service gave up: ${JSON.stringify(reason)}${also}`;
}
