/**
 * A network between a service and its Postgres that can be cut, as by a firewall or a load balancer that has forgotten its connections:
 * they stay open at both ends, what is sent is taken, and nothing comes out of them ever again. No end tells the other that it has gone.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { systemClock } from '../../../src/base/clock.ts';

export interface CuttableNetwork {
  /** The URL of the server, by way of this network. */
  readonly url: string;
  /** Connections that are there lead nowhere from now on, and so do new ones. */
  cut(): void;
  /** Whatever the server says from now on comes so many milliseconds later. */
  slow(ms: number): void;
  /** New connections come through again. */
  mend(): void;
  /** Ends every connection. */
  close(): Promise<void>;
}

/** @param serverUrl with host and port. */
export async function startCuttableNetwork(serverUrl: string): Promise<CuttableNetwork> {
  const url = new URL(serverUrl);
  const [host, port] = [url.hostname, Number(url.port)];
  const pairs = new Set<Pair>();
  let isCut = false;
  let delayMs = 0;
  const listener = createServer((client) => {
    pairs.add(isCut ? new Pair(client, () => 0) : new Pair(client, () => delayMs, connect(port, host)));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  url.hostname = '127.0.0.1';
  url.port = String((listener.address() as AddressInfo).port);
  return {
    url: url.href,
    cut() {
      isCut = true;
      for (const pair of pairs) pair.cut();
    },
    slow: (ms) => void (delayMs = ms),
    mend: () => void (isCut = false),
    async close() {
      for (const pair of pairs) pair.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

class Pair {
  private readonly sockets: readonly Socket[];
  private isCut = false;

  /** @param upstream left out where the network was cut before. */
  constructor(client: Socket, delayMs: () => number, upstream?: Socket) {
    this.sockets = upstream === undefined ? [client] : [client, upstream];
    this.carry(client, upstream, () => 0);
    if (upstream !== undefined) this.carry(upstream, client, delayMs);
  }

  cut(): void {
    this.isCut = true;
  }

  destroy(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private carry(from: Socket, to: Socket | undefined, delayMs: () => number): void {
    from.on('data', (bytes) => {
      if (delayMs() > 0) return void systemClock.setTimer(() => to?.write(bytes), delayMs());
      if (this.isCut || to === undefined || to.write(bytes)) return;
      from.pause();
      to.once('drain', () => from.resume());
    });
    from.on('error', () => {}); // Its close says enough.
    from.on('close', () => {
      if (!this.isCut) to?.destroy();
    });
  }
}
