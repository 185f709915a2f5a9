/**
 * A TCP server that stands before another one: for each client it opens a connection to that, and whoever starts it says
 * what goes across. One side does not outlive the other, as if there were one connection.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Relay {
  /** Of 127.0.0.1, or where it was told to listen. */
  readonly port: number;
  /** Resets every connection. */
  breakConnections(): void;
  /** Ends every connection; resolves when nobody listens any more. */
  close(): Promise<void>;
}

/**
 * @param carry called for each pair of sockets, before the first byte of either.
 * @param listen at any port of 127.0.0.1, unless it says otherwise.
 */
export async function startRelay(
  server: { readonly host: string; readonly port: number },
  carry: (client: Socket, upstream: Socket) => void,
  listen: { readonly host?: string; readonly port?: number } = {},
): Promise<Relay> {
  const sockets = new Set<Socket>();
  const listener = createServer((client) => {
    const upstream = connect(server.port, server.host);
    join(client, upstream, sockets);
    carry(client, upstream);
  });
  listener.listen(listen.port ?? 0, listen.host ?? '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    breakConnections: () => sockets.forEach((socket) => socket.resetAndDestroy()),
    async close() {
      sockets.forEach((socket) => socket.destroy());
      listener.close();
      await once(listener, 'close');
    },
  };
}

function join(client: Socket, upstream: Socket, sockets: Set<Socket>): void {
  for (const socket of [client, upstream]) {
    sockets.add(socket);
    socket.on('error', () => {}); // Its close says enough.
    socket.on('close', () => {
      sockets.delete(socket);
      client.destroy();
      upstream.destroy();
    });
  }
}
