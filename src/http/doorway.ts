/**
 * Doorway: one listening socket, behind which servers follow one another: that of an instance that waits, and that of the same instance
 * when it has taken over. No connection is refused or broken in between. Who comes while there is no server waits at the door.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen, type ListenAddress, type ListeningServer, type ServerTimeouts } from './server.ts';

export type Serve = (request: IncomingMessage, response: ServerResponse) => void;
export type Listen = typeof listen;

export class Doorway {
  private server: ListeningServer | undefined;
  private serve: Serve | undefined;
  private fail: (error: Error) => void = () => {};
  /** No more than there are connections. */
  private waiting: (() => unknown)[] = [];

  /** As `listen` does; but where somebody listens already, it is his socket that is taken over. */
  readonly enter: Listen = async (address, timeouts, serve, fail) => {
    this.fail = fail;
    this.server ??= await this.open(address, timeouts);
    this.serve = serve;
    const { server, waiting } = this;
    this.waiting = [];
    for (const begin of waiting) begin();
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

  private open(address: ListenAddress, timeouts: ServerTimeouts): Promise<ListeningServer> {
    const receive: Serve = (request, response) => {
      if (this.serve !== undefined) this.serve(request, response);
      else this.waiting.push(() => response.destroyed || this.serve?.(request, response)); // Its client may have gone meanwhile.
    };
    return listen(address, timeouts, receive, (error) => this.fail(error));
  }

  private async leave(server: ListeningServer): Promise<void> {
    if (this.server === server) this.server = undefined;
    await server.drain();
  }
}
