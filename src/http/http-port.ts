/**
 * HttpPort: the server in front of the api, as a process of the tree. It translates and decides nothing. In a program that has a server
 * of its own it may open none: then requests come by the dispatcher alone.
 *
 * Whatever a request held is given back when its response closes, on every path. When the port stops it takes no new
 * connections, answers the long-polls that wait, lets streams run for a bounded time, and then cuts off the rest. It may be told of that
 * before (`drain`): what it stands on is still there then, so nobody has to be refused, and clients go elsewhere at once.
 */
import type { PortContext, PortHandle, PortSpec } from '../otp/process.ts';
import { BODY_LIMITS, type BodyLimits } from './bodies/body-intake.ts';
import { ClientTally } from './client-tally.ts';
import { RequestDispatcher, type DispatcherPorts, type DispatcherSettings } from './request-dispatcher.ts';
import { listen, type ListenAddress, type ServerLimits, type ServerPorts } from './server.ts';

export interface HttpSettings extends ListenAddress, ServerLimits, Omit<DispatcherSettings, 'bodies'> {
  /** How long open responses may go on after the port was told to stop. */
  readonly drainTimeoutMs: number;
  readonly bodies?: BodyLimits;
  /** False: no socket is opened. Default: true. */
  readonly listens?: boolean;
}

export interface HttpPorts extends DispatcherPorts {
  /** Told where the server listens, once it does. */
  listening?(address: ListenAddress): void;
  /** Told, not more often than each minute, how many connections were closed since because there were too many. */
  turnedAway(count: number): void;
  readonly reception?: Reception;
  /** How the socket comes about. Default: it is opened. */
  readonly listen?: typeof listen | undefined;
}

/** Where the program around the service finds who takes requests now. */
export interface Reception {
  open(dispatcher: RequestDispatcher): void;
  close(dispatcher: RequestDispatcher): void;
}

export function httpPort(settings: HttpSettings, ports: HttpPorts): PortSpec {
  return { name: '@http', open: (context) => openServer(settings, ports, context) };
}

async function openServer(settings: HttpSettings, ports: HttpPorts, context: PortContext): Promise<PortHandle> {
  const dispatcher = new RequestDispatcher({ ...settings, bodies: settings.bodies ?? BODY_LIMITS }, ports);
  const turnedAway = new ClientTally(ports.clock, (count) => ports.turnedAway(count));
  const open = ports.listen ?? listen;
  const serverPorts: ServerPorts = {
    serve: (request, response) => dispatcher.receive(request, response),
    failed: (error) => context.exit(error),
    turnedAway: () => turnedAway.add(),
  };
  const server = settings.listens === false ? undefined : await open(settings, settings, serverPorts);
  if (server !== undefined) ports.listening?.(server.address);
  ports.reception?.open(dispatcher);
  let drained: Promise<void> | undefined;
  const drain = (): void => {
    ports.reception?.close(dispatcher); // First: a request that came while the others end would begin anew.
    drained ??= server?.drain();
    dispatcher.drain();
  };
  return {
    requests: { listenAddress: () => ({ type: 'http.listening', ...server?.address }) },
    casts: { drain },
    async close() {
      drain();
      const timer = ports.clock.setTimer(() => {
        server?.destroy();
        dispatcher.destroy();
      }, settings.drainTimeoutMs);
      await drained;
      await dispatcher.emptied();
      ports.clock.clearTimer(timer);
      dispatcher.close();
      turnedAway.close();
    },
  };
}
