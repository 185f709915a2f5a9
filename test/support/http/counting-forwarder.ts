/** Passes requests on to another server as they are, and keeps the URLs of those that have come. */
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CountingForwarder {
  readonly url: string;
  /** Paths with their queries, in the order in which they came. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** @param origin `http://127.0.0.1:3000`. */
export async function startCountingForwarder(origin: string): Promise<CountingForwarder> {
  const asked: string[] = [];
  const server = createServer((coming, answer) => {
    asked.push(coming.url ?? '');
    forward(origin, coming, answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** One side does not outlive the other. */
function forward(origin: string, coming: IncomingMessage, answer: ServerResponse): void {
  const going = request(origin + (coming.url ?? ''), { method: coming.method, headers: coming.headers }, (answered) => {
    answer.writeHead(answered.statusCode ?? 502, answered.rawHeaders);
    answer.flushHeaders(); // A stream may have nothing to say for long.
    answered.pipe(answer);
  });
  going.on('error', () => answer.destroy());
  answer.on('close', () => going.destroy());
  coming.pipe(going);
}
