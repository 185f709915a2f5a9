/** The wiring of the edge: the api over the processes that live now, the server in front of it, and the journal. */
import { LogProgress } from '../../actors/collector/log-progress.ts';
import { ShapeDirectory } from '../../actors/directory/shape-directory.ts';
import { createApi, type Api } from '../../api/api.ts';
import type { ApiSettings } from '../../api/api-context.ts';
import type { ExplainSource } from '../../api/explain/explain-source.ts';
import type { ParsedFilters } from '../../api/ports.ts';
import type { SubsetSource } from '../../api/subsets/subset-source.ts';
import { VERSION } from '../../base/version.ts';
import type { Listen } from '../../http/doorway.ts';
import { httpPort, type HttpSettings, type Reception } from '../../http/http-port.ts';
import type { Pages } from '../../http/pages.ts';
import type { DispatcherPorts, RequestDispatcher } from '../../http/request-dispatcher.ts';
import type { Configuration } from '../../settings/configuration.ts';
import { journalPort } from '../../telemetry/journal-port.ts';
import { relationSource, servedShapes, serviceStatus, readableLogs, zoneSource } from './api-ports.ts';
import { causeOfHealth } from './health-cause.ts';
import { databaseUse } from './idle.ts';
import type { ServiceLimits } from './limits.ts';
import { livingTable } from './living-table.ts';
import type { ShapeReads } from './shape-reads.ts';
import { watchedSubsets } from './watches.ts';
import { shareOpenFiles } from '../open-files.ts';
import type { ServiceResources } from '../service-resources.ts';
import type { World } from '../world.ts';

const READINESS_TIMEOUT_MS = 5_000;

/** What else the api is put together of. */
interface ApiParts {
  readonly subsets: SubsetSource;
  readonly explain: ExplainSource;
  readonly reads: Pick<ShapeReads, 'note'>;
  readonly limits: Pick<ServiceLimits, 'hasRoom' | 'standing'>;
  readonly filters: ParsedFilters;
}

export function serviceApi(resources: ServiceResources, { subsets, explain, reads, limits, filters }: ApiParts): Api {
  const { configuration, database, runtime, storage, language, world, watches } = resources;
  const directory = () => livingTable(runtime, '@shape-cache', 'directory', ShapeDirectory);
  const progress = () => livingTable(runtime, '@shape-log-collector', 'progress', LogProgress);
  const ports = {
    relations: relationSource(database.catalog),
    zones: zoneSource(database.zones),
    shapes: servedShapes(runtime, directory, reads, limits),
    logs: readableLogs(storage.shapes),
    status: serviceStatus(runtime, world.clock, {
      cause: causeOfHealth(resources),
      limits: () => limits.standing(),
      followedAt: 'active',
      use: () => databaseUse(runtime),
    }),
    language,
    filters,
    subsets: watches.subset === undefined ? subsets : watchedSubsets(subsets, watches.subset),
    explain,
    lastProcessedLsn: () => progress()?.lastProcessedLsn,
  };
  return createApi(ports, apiSettings(configuration), world.clock, world.random);
}

export function apiSettings(configuration: Configuration): ApiSettings {
  return {
    longPollTimeoutMs: configuration.longPollTimeoutMs,
    readinessTimeoutMs: READINESS_TIMEOUT_MS,
    maxConcurrentRequests: configuration.maxConcurrentRequests,
    cache: { maxAgeSeconds: configuration.cacheMaxAgeSeconds, staleAgeSeconds: configuration.cacheStaleAgeSeconds },
    isDeletionEnabled: configuration.enableDeletion,
  };
}

/** By which ways requests come. */
export interface Entrance {
  /** Where those without a socket are taken. */
  readonly reception: Reception;
  /** How the socket comes about, where somebody has listened before. */
  readonly listen?: Listen | undefined;
}

/** Requests of the program around the service go to the dispatcher of the server that lives now. */
export class ServiceReception implements Reception {
  private living: RequestDispatcher | undefined;
  /** Undefined while nobody has to wait. */
  private waiting: (() => void)[] | undefined;

  /** Undefined while there is none. A promise while the next one is on its way. */
  get dispatcher(): RequestDispatcher | undefined | Promise<RequestDispatcher | undefined> {
    const { waiting } = this;
    if (waiting === undefined) return this.living;
    return new Promise((resolve) => waiting.push(() => resolve(this.living)));
  }

  open(dispatcher: RequestDispatcher): void {
    this.living = dispatcher;
    this.letIn();
  }

  /** Whoever has served goes. Requests wait for the next one, or until it is known that none comes. */
  hold(): void {
    this.waiting ??= [];
  }

  /** Of one that ends late: its successor may have opened already. */
  close(dispatcher: RequestDispatcher): void {
    if (this.living !== dispatcher) return;
    this.living = undefined;
    this.letIn();
  }

  private letIn(): void {
    const { waiting = [] } = this;
    this.waiting = undefined;
    for (const enter of waiting) enter();
  }
}

/** How the edge is set up, whoever stands behind it. */
export function edgeSettings(configuration: Configuration, world: Pick<World, 'openFilesMax'>): HttpSettings {
  const { host, port, secret, listens = true, drainTimeoutMs, keepAliveTimeoutMs, tcpReadTimeoutMs, tcpSendTimeoutMs } = configuration;
  const timeouts = { drainTimeoutMs, keepAliveTimeoutMs, readTimeoutMs: tcpReadTimeoutMs, sendTimeoutMs: tcpSendTimeoutMs };
  const { connectionsMax } = shareOpenFiles(world.openFilesMax());
  return { host, port, secret, listens, version: VERSION, connectionsMax, ...timeouts };
}

/** What a server works with, and whom it tells of what went wrong. */
export function dispatcherPorts(
  { logger, world, watches }: Pick<ServiceResources, 'logger' | 'world' | 'watches'>,
  api: Api,
  pages?: Pages,
): DispatcherPorts {
  return {
    api,
    clock: world.clock,
    random: world.random,
    pages,
    watch: watches.requests,
    failed(error, requestId) {
      watches.requestFailed?.();
      logger.error({ err: error, requestId }, 'a request failed');
    },
    cutOff(clients) {
      watches.cutOff?.(clients);
      logger.warn({ clients }, 'clients that did not read their answers were cut off');
    },
  };
}

/** How an operator is told of connections that were one too many. By then there may be no file left to read the limit from. */
export function turnedAwayTold({ logger, world, watches }: Pick<ServiceResources, 'logger' | 'world' | 'watches'>) {
  const openFilesMax = world.openFilesMax();
  const { connectionsMax } = shareOpenFiles(openFilesMax);
  return (connections: number): void => {
    watches.turnedAway?.(connections);
    logger.warn({ connections, connectionsMax, openFilesMax }, 'connections were closed at once: this process may have no more files open');
  };
}

export function edgePorts(resources: ServiceResources, api: Api, { reception, listen }: Entrance, pages?: Pages) {
  const { configuration, logger, troubles, world } = resources;
  const settings = edgeSettings(configuration, world);
  const turnedAway = turnedAwayTold(resources);
  let { port } = configuration; // Where the system chose it, a server that restarts takes the same one again: clients know it.
  return {
    journal: () => journalPort(logger, (note) => troubles.note(note)),
    http: () =>
      httpPort(
        { ...settings, port },
        {
          ...dispatcherPorts(resources, api, pages),
          listening: (address) => {
            port = address.port;
          },
          turnedAway,
          reception,
          listen,
        },
      ),
  };
}
