/** A way to a server that can be shut: whoever comes then finds nobody, as if the server had stopped. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface ServerDoor {
  readonly port: number;
  /** So many more connections come through. */
  admit(connections: number): void;
  close(): void;
}

export async function openDoor(serverPort: number): Promise<ServerDoor> {
  let admitted = Infinity;
  const sockets = new Set<Socket>();
  const listener = createServer((client) => {
    client.on('error', () => {}); // Its close says enough.
    admitted -= 1;
    if (admitted < 0) client.destroy();
    else join(client, connect(serverPort, '127.0.0.1'), sockets);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    admit: (connections) => (admitted = connections),
    close() {
      sockets.forEach((socket) => socket.destroy());
      listener.close();
    },
  };
}

function join(client: Socket, upstream: Socket, sockets: Set<Socket>): void {
  for (const socket of [client, upstream]) {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      client.destroy();
      upstream.destroy();
    });
  }
  client.pipe(upstream).pipe(client);
}
