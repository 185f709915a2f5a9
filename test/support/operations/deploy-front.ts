/**
 * What stands before instances that are deployed one after the other: each connection goes to the newest of those that stand ready, and to
 * the next one where that refuses it. It knows nothing of HTTP.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface DeployFront {
  readonly url: string;
  /** From now on to these, the first that takes a connection. */
  lead(ports: readonly number[]): void;
  /** Connections that nobody took, since it was opened. */
  readonly refusals: number;
  close(): Promise<void>;
}

export async function openFront(): Promise<DeployFront> {
  const sockets = new Set<Socket>();
  let ports: readonly number[] = [];
  let refusals = 0;
  const begin = (client: Socket, [port, ...others]: readonly number[]): void => {
    if (client.destroyed) return;
    if (port === undefined) {
      refusals += 1;
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(port, '127.0.0.1');
    const tryNext = (): void => begin(client, others);
    upstream.once('error', tryNext);
    upstream.once('connect', () => {
      upstream.off('error', tryNext);
      join(client, upstream);
    });
  };
  const join = (client: Socket, upstream: Socket): void => {
    sockets.add(upstream);
    upstream.on('error', () => {}); // Its close says enough.
    upstream.on('close', () => {
      sockets.delete(upstream);
      client.destroy();
    });
    client.on('close', () => upstream.destroy());
    client.pipe(upstream).pipe(client);
  };
  const listener = createServer({ pauseOnConnect: true }, (client) => {
    sockets.add(client);
    client.on('error', () => {});
    client.on('close', () => sockets.delete(client));
    client.resume().pause();
    begin(client, ports);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    lead: (led) => (ports = led),
    get refusals() {
      return refusals;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}
