/** The stack as a stage: everything that a service opens over a storage that is its own. */
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Listen } from '../http/doorway.ts';
import { startInspectionServer, type InspectionOptions } from '../observer/inspection-server.ts';
import type { Runtime } from '../otp/runtime.ts';
import { supervisor } from '../otp/supervision/supervisor.ts';
import type { Storage } from '../storage/storage.ts';
import { stack } from '../supervisors/stack.ts';
import type { Closing } from './closing.ts';
import type { Database } from './database.ts';
import type { Ground } from './ground.ts';
import { serveMetrics } from './metrics-endpoint.ts';
import type { ServiceEvents } from './service-events.ts';
import type { Stage } from './stage.ts';
import { stackWiring } from './wiring/stack.ts';
import type { ShapeLives } from './wiring/tables.ts';

/** @param listen how the socket comes about, where somebody has listened before. */
export async function startStack(ground: Ground, storage: Storage, database: Database, listen?: Listen): Promise<Stage> {
  const { configuration, logger, closing, runtime, events, reception, metrics } = ground;
  for (const note of storage.notes) logger.warn(note);
  const resources = { ...ground, storage, database };
  const wiring = stackWiring(resources, { reception, listen, lives: toldLives(events, logger), opened: (close) => closing.add(close) });
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
  const drain = (): void => runtime.send('@http', { type: 'drain' });
  return { api, root, url, metricsUrl, observerUrl: observerUrl(), inspectionUrl, drain };
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

async function inspected(options: InspectionOptions, closing: Closing): Promise<string> {
  const inspection = await startInspectionServer(options);
  closing.add(() => inspection.close());
  return inspection.url;
}

async function listeningAt(runtime: Runtime): Promise<string> {
  return urlOf((await runtime.call('@http', { type: 'listenAddress' })) as unknown as { host: string; port: AddressInfo['port'] });
}

export function urlOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
