/**
 * A TCP proxy in front of a server, which lets only so many of its bytes through: what the server sends beyond them
 * waits, in the proxy and, by TCP, in the server itself. So a test decides how far a query's answer has come, and
 * needs no clock for it.
 */
import { startRelay } from './relay.ts';

export interface ThrottledProxy {
  /** The URL of the server, by way of the proxy. */
  readonly url: string;
  /** Lets so many more bytes through, for all connections together; before the first call there is no limit. */
  allow(bytes: number): void;
  allowAll(): void;
  /** Resolves when bytes are waiting because none may pass. */
  exhausted(): Promise<void>;
  /** Resets every connection. */
  breakConnections(): void;
  close(): Promise<void>;
}

/** @param serverUrl with host and port. */
export async function startThrottledProxy(serverUrl: string): Promise<ThrottledProxy> {
  const url = new URL(serverUrl);
  const valve = new Valve();
  const relay = await startRelay({ host: url.hostname, port: Number(url.port) }, (client, upstream) => {
    client.pipe(upstream);
    upstream.on('data', (bytes) => {
      upstream.pause();
      valve.pass(bytes, (piece) => client.write(piece), () => upstream.resume());
    });
  });
  url.hostname = '127.0.0.1';
  url.port = String(relay.port);
  return {
    url: url.href,
    allow: (bytes) => valve.open(bytes),
    allowAll: () => valve.open(Number.POSITIVE_INFINITY),
    exhausted: () => valve.exhausted(),
    breakConnections: () => relay.breakConnections(),
    close: () => relay.close(),
  };
}

interface Waiting {
  bytes: Buffer;
  readonly write: (piece: Buffer) => void;
  readonly done: () => void;
}

class Valve {
  private credit = Number.POSITIVE_INFINITY;
  private waiting: Waiting[] = [];
  private watchers: (() => void)[] = [];

  open(bytes: number): void {
    this.credit = (Number.isFinite(this.credit) ? this.credit : 0) + bytes;
    this.flow();
  }

  pass(bytes: Buffer, write: (piece: Buffer) => void, done: () => void): void {
    this.waiting.push({ bytes, write, done });
    this.flow();
  }

  exhausted(): Promise<void> {
    if (this.waiting.length > 0) return Promise.resolve();
    return new Promise((resolve) => this.watchers.push(resolve));
  }

  private flow(): void {
    for (let first = this.waiting[0]; first !== undefined && this.credit > 0; first = this.waiting[0]) {
      const piece = first.bytes.subarray(0, Math.min(this.credit, first.bytes.length));
      this.credit -= piece.length;
      first.write(piece);
      first.bytes = first.bytes.subarray(piece.length);
      if (first.bytes.length > 0) continue;
      this.waiting.shift();
      first.done();
    }
    if (this.waiting.length > 0) this.watchers.splice(0).forEach((watcher) => watcher());
  }
}
