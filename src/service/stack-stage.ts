/** The stack as a stage: everything that a service opens over a storage that is its own. */
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Listen } from '../http/doorway.ts';
import type { Runtime } from '../otp/runtime.ts';
import { supervisor } from '../otp/supervision/supervisor.ts';
import type { Storage } from '../storage/storage.ts';
import { stack } from '../supervisors/stack.ts';
import type { Database } from './database.ts';
import type { Ground } from './ground.ts';
import type { ServiceEvents } from './service-events.ts';
import type { SideSockets } from './side-sockets.ts';
import type { Begun, NextStage } from './stage.ts';
import { metricsSource } from './wiring/measures.ts';
import { stackWiring } from './wiring/stack.ts';
import type { ShapeLives } from './wiring/tables.ts';

export interface StackParts {
  readonly ground: Ground;
  readonly sockets: SideSockets;
  readonly storage: Storage;
  readonly database: Database;
  /** How the socket comes about, where somebody has listened before. */
  readonly listen?: Listen;
  /** Begins what comes when the storage is left to another instance. @param url where this one has listened. */
  readonly behind: (url: string) => ReturnType<NextStage>;
}

export async function startStack({ ground, sockets, storage, database, listen, behind }: StackParts): Promise<Begun> {
  const { configuration, logger, closing, runtime, events, reception } = ground;
  const { metricsUrl, inspectionUrl, shown } = sockets;
  for (const note of storage.notes) logger.warn(note);
  const resources = { ...ground, storage, database };
  const drain = (): void => runtime.send('@http', { type: 'drain' });
  let isLeft = false;
  const makeRoom = (): void => {
    isLeft = true;
    drain();
  };
  const opened = closing.add.bind(closing);
  const wiring = stackWiring(resources, { reception, listen, lives: toldLives(events, logger), opened, makeRoom });
  const { api } = wiring;
  if (metricsUrl !== undefined) shown.source = metricsSource(resources, api);
  const root = await runtime.start(supervisor(stack(wiring)), { id: 'stack' });
  closing.add('the tree of processes', () => runtime.stop(root)); // The tree stops before what it stands on is closed.
  const url = configuration.listens === false ? '' : await listeningAt(runtime);
  if (url !== '') logger.info({ url }, 'the service listens');
  if (url !== '' && configuration.observer) shown.observerUrl = `${url}/_observer`;
  const stage = { api, root, url, metricsUrl, observerUrl: shown.observerUrl, inspectionUrl, drain };
  return { stage, next: () => (isLeft ? behind(url) : Promise.resolve(undefined)) };
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

async function listeningAt(runtime: Runtime): Promise<string> {
  return urlOf((await runtime.call('@http', { type: 'listenAddress' })) as unknown as { host: string; port: AddressInfo['port'] });
}

export function urlOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
