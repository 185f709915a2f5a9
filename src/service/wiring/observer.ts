/** The wiring of the observer: where it looks. What it is told is told by `tables` and `database`, if there is one. */
import { LinkValues } from '../../actors/link-values.ts';
import { LogProgress } from '../../actors/collector/log-progress.ts';
import { materializerOf } from '../../actors/shape-processes.ts';
import type { Api } from '../../api/api.ts';
import type { ShapeAnnouncements } from '../../api/ports.ts';
import { VERSION } from '../../base/version.ts';
import { createObserver, type Observer } from '../../observer/observer.ts';
import { indexPage } from '../../observer/pages/index-page.ts';
import { pageFiles } from '../../observer/page-files.ts';
import type { ObserverSources, ShapeSource } from '../../observer/sources.ts';
import type { ServiceResources } from '../service-resources.ts';
import { toldShapeOf } from './explain/told-shapes.ts';
import { livingTable } from './living-table.ts';
import { PostgresReports } from './postgres-reports.ts';

/** @returns undefined when the service is not to show itself: then nothing is counted or remembered for it. */
export function serviceObserver(resources: ServiceResources, api: Api): Observer | undefined {
  const { configuration, runtime, world } = resources;
  if (!configuration.observer) return undefined;
  const reports = new PostgresReports(resources, () => progressOf(resources)?.lastProcessedLsn);
  const files = pageFiles();
  const sources: ObserverSources = {
    runtime,
    clock: world.clock,
    service: { version: VERSION, level: () => api.level(), whyNotActive: () => api.cause(true) }, // Who looks has the secret.
    shapes: shapeSource(resources, api),
    postgres: reports,
    sample: () => sample(resources, api, reports.retainedBytes),
    file: (path) => files.get(path) ?? (path === '/_observer' ? indexPage : undefined),
  };
  return createObserver(sources, { secret: configuration.secret, canEnd: configuration.command === 'demo' });
}

/** Who waits for a shape is counted before they are woken. */
export function observed(announcements: ShapeAnnouncements, observer: Observer | undefined): ShapeAnnouncements {
  if (observer === undefined) return announcements;
  return {
    announce(handle, end) {
      observer.published(handle, end);
      return announcements.announce(handle, end);
    },
    rotate: (handle, replacement) => announcements.rotate(handle, replacement),
  };
}

function shapeSource({ storage: { shapes, log }, runtime, world }: ServiceResources, api: Api): ShapeSource {
  return {
    all: () => shapes.all(),
    get: (handle) => shapes.get(handle),
    entries: (handle, after) => toldShapeOf(shapes, handle, world.clock)?.entries(after),
    readersOf: (handle) => api.readersOf(handle),
    limits: () => api.limits(),
    valuesEnd: (inner, column) => livingTable(runtime, materializerOf(inner, column), 'values', LinkValues)?.offset,
    get position() {
      return shapes.position;
    },
    get releasable() {
      return shapes.releasable;
    },
    get durableEnd() {
      return log.durableEnd;
    },
  };
}

function sample({ runtime }: ServiceResources, api: Api, retainedBytes: number | undefined) {
  const { heapUsed, rss } = process.memoryUsage();
  const { waiting, longest } = runtime.load();
  const numbers = { mailboxSum: waiting, mailboxMax: longest, parked: api.load().parked, heapBytes: heapUsed, rssBytes: rss };
  return retainedBytes === undefined ? numbers : { ...numbers, walRetained: retainedBytes };
}

function progressOf({ runtime }: ServiceResources): LogProgress | undefined {
  return livingTable(runtime, '@shape-log-collector', 'progress', LogProgress);
}
