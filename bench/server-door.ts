/**
 * A way to a Postgres that can be shut: whoever comes then finds nobody, as if the server had stopped. Some may still be
 * let in, by the name that they give: a service looks at its database once, before it starts.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface ServerDoor {
  readonly port: number;
  /** From now on only for connections of this `application_name`. */
  shutBut(applicationName: string): void;
  open(): void;
  close(): void;
}

export async function openDoor(serverPort: number): Promise<ServerDoor> {
  let admitted: string | undefined;
  const sockets = new Set<Socket>();
  const listener = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1');
    join(client, upstream, sockets);
    client.on('data', (bytes) => {
      if (admitted === undefined || isAdmitted(bytes, admitted)) upstream.write(bytes);
      else client.destroy();
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    shutBut: (applicationName) => (admitted = applicationName),
    open: () => (admitted = undefined),
    close() {
      sockets.forEach((socket) => socket.destroy());
      listener.close();
    },
  };
}

/** Only the first message of a connection has names, but for the question whether TLS is spoken. */
function isAdmitted(bytes: Buffer, applicationName: string): boolean {
  const text = bytes.toString('latin1');
  return !text.includes('application_name\0') || text.includes(`application_name\0${applicationName}\0`);
}

/** What the server says reaches the client; one does not outlive the other. */
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
  upstream.pipe(client);
}
