/**
 * Doorway: one listening socket, behind which servers follow one another: that of an instance that waits, and that of the same instance
 * when it has taken over. No connection is refused or broken in between. Who comes while there is no server waits at the door.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen, type ListenAddress, type ListeningServer, type ServerLimits, type ServerPorts } from './server.ts';

export type Serve = (request: IncomingMessage, response: ServerResponse) => void;
export type Listen = typeof listen;

export class Doorway {
  private server: ListeningServer | undefined;
  private serve: Serve | undefined;
  private ports: Omit<ServerPorts, 'serve'> = { failed() {}, turnedAway() {} };
  /** In the order in which they came. Of a client, no more than it may have unanswered on one connection; who goes waits no longer. */
  private readonly waiting = new Map<ServerResponse, IncomingMessage>();

  /** @param refuse answers those for whom nobody comes any more. */
  constructor(private readonly refuse: Serve) {}

  /** How many requests wait for the next server. */
  get waitingCount(): number {
    return this.waiting.size;
  }

  /** As `listen` does; but where somebody listens already, it is his socket that is taken over. */
  readonly enter: Listen = async (address, limits, ports) => {
    this.ports = ports;
    this.server ??= await this.open(address, limits);
    this.serve = ports.serve;
    const { server } = this;
    this.letIn(ports.serve);
    return {
      address: server.address,
      drain: () => this.leave(server),
      destroy: () => server.destroy(),
    };
  };

  /** Whoever has served goes. Requests wait for the next one, or until the door is shut. */
  hold(): void {
    this.serve = undefined;
  }

  private open(address: ListenAddress, limits: ServerLimits): Promise<ListeningServer> {
    const serve: Serve = (request, response) => {
      if (this.serve !== undefined) return this.serve(request, response);
      this.waiting.set(response, request);
      response.once('close', () => this.waiting.delete(response));
    };
    const failed = (error: Error): void => this.ports.failed(error);
    return listen(address, limits, { serve, failed, turnedAway: () => this.ports.turnedAway() });
  }

  /** Who waits would keep his connection, and with it the server, for ever. */
  private async leave(server: ListeningServer): Promise<void> {
    if (this.server === server) {
      this.server = undefined;
      this.serve ??= this.refuse;
      this.letIn(this.serve);
    }
    await server.drain();
  }

  private letIn(serve: Serve): void {
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const [response, request] of waiting) serve(request, response);
  }
}
