/**
 * The standby as a stage: it listens, says that it waits, and serves what another instance has stored. When that has gone, the stack comes
 * behind the same socket.
 */
import { BODY_LIMITS } from '../http/bodies/body-intake.ts';
import type { Listen } from '../http/doorway.ts';
import { RequestDispatcher, type DispatcherPorts } from '../http/request-dispatcher.ts';
import { supervisor } from '../otp/supervision/supervisor.ts';
import { ShapeReplacedError } from '../storage/errors.ts';
import type { Storage } from '../storage/storage.ts';
import type { TakenStorage } from '../storage/view/standby-port.ts';
import { standby } from '../supervisors/standby.ts';
import type { Database } from './database.ts';
import type { Ground } from './ground.ts';
import { AWAITED_BY_STANDBY, storageOptions } from './reached-storage.ts';
import type { SideSockets } from './side-sockets.ts';
import type { Begun, Stage } from './stage.ts';
import { StandbyEntrance } from './standby-entrance.ts';
import { dispatcherPorts, edgeSettings } from './wiring/edge.ts';
import { standbyWiring } from './wiring/standby/standby.ts';

export interface StandbyParts {
  readonly ground: Ground;
  readonly sockets: SideSockets;
  /** To look at: whoever follows it sees by its connections that we wait. */
  readonly database: Database;
  /** This instance has just left the storage to another one. */
  readonly isLeft: boolean;
  /** Begins the stack. */
  takeOver(storage: Storage, listen: Listen): Promise<Begun>;
}

export async function startStandby({ ground, sockets, database, isLeft, takeOver }: StandbyParts): Promise<Begun> {
  const { configuration, logger, closing, runtime } = ground;
  let taken: TakenStorage | undefined;
  const wiring = standbyWiring({ ...ground, database }, storageOptions(ground, AWAITED_BY_STANDBY), isLeft, (outcome) => {
    taken = outcome;
    if ('failure' in outcome) return; // Nobody comes for whom a request could wait.
    closing.add('the storage', () => outcome.storage.close());
    entrance.hold();
  });
  const settings = { ...edgeSettings(configuration, ground.world), bodies: BODY_LIMITS };
  const entrance = new StandbyEntrance(ground, new RequestDispatcher(settings, quiet(dispatcherPorts(ground, wiring.api))));
  const root = await runtime.start(supervisor(standby(wiring)), { id: 'standby' });
  closing.add('the tree of processes', () => runtime.stop(root));
  closing.add('its entrance', () => entrance.close());
  const url = await entrance.open();
  if (url !== '') logger.info({ url }, 'the service listens, and waits for the storage');
  const next = async (): Promise<Begun | undefined> => {
    if (taken === undefined) return undefined;
    if ('failure' in taken) throw taken.failure;
    const stack = await takeOver(taken.storage, entrance.listen);
    entrance.leave();
    return stack;
  };
  const { metricsUrl, inspectionUrl } = sockets;
  const api = entrance.answering(wiring.api);
  const stage: Stage = { api, root, url, metricsUrl, observerUrl: undefined, inspectionUrl, drain: () => entrance.drain() };
  return { stage, next };
}

/** A shape that ends elsewhere while it is being sent is no error: its client was cut off, and finds what has taken its place. */
function quiet(ports: DispatcherPorts): DispatcherPorts {
  const failed: DispatcherPorts['failed'] = (error, requestId) => {
    if (!(error instanceof ShapeReplacedError)) ports.failed(error, requestId);
  };
  return { ...ports, failed };
}
