/**
 * MetricsServer: `GET /metrics` on a port of its own, for Prometheus. It stands beside the tree: it answers while the service waits for
 * the lock or for Postgres, and what goes wrong here ends a scrape, never the service.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface MetricsServerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly contentType: string;
  /** Undefined while there is nothing to be measured. */
  scrape(): Promise<string | undefined>;
  /** Told of a scrape that failed, and of an error of the server after it had begun to listen. */
  failed(error: unknown): void;
}

export interface MetricsServer {
  /** `http://host:port/metrics`. */
  readonly url: string;
  /** Cuts off whoever is left; resolves when nothing is open. */
  close(): Promise<void>;
}

/** We cannot listen there: nothing was opened, and the service did not start. */
export class MetricsPortError extends Error {
  override readonly name = 'MetricsPortError';
}

/** A scraper has one or two. */
const CONNECTIONS_MAX = 32;
const REQUEST_MS_MAX = 10_000;
const TEXT = { 'content-type': 'text/plain; charset=utf-8' };

/** @throws {MetricsPortError} */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const server = createServer({ requestTimeout: REQUEST_MS_MAX }, (request, response) => void answer(options, request, response));
  server.maxConnections = CONNECTIONS_MAX;
  const port = await listen(server, options);
  server.on('error', (error) => options.failed(error));
  const { host } = options;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}/metrics`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer({ contentType, scrape, failed }: MetricsServerOptions, request: IncomingMessage, response: ServerResponse) {
  const [path] = (request.url ?? '').split('?');
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (path !== '/metrics' || !isRead) return response.writeHead(404, TEXT).end('Not found');
  try {
    const text = await scrape();
    if (text === undefined) return response.writeHead(503, TEXT).end('There is nothing to be measured yet: another instance works.\n');
    return response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' }).end(text);
  } catch (error) {
    failed(error); // Whatever it is: who scrapes must not end the service.
    return response.writeHead(500, TEXT).end('The metrics could not be read; the log of the service says why.\n');
  }
}

function listen(server: Server, { host, port }: MetricsServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => reject(listenError(error, host, port));
    server.once('error', refuse);
    server.listen({ host, port }, () => {
      server.off('error', refuse);
      resolve((server.address() as AddressInfo).port); // It listens on a port, no pipe.
    });
  });
}

function listenError(error: Error, host: string, port: number): Error {
  const code = 'code' in error ? error.code : undefined;
  const choose = 'Choose another for the metrics with --prometheus-port.';
  switch (code) {
    case 'EADDRINUSE':
      return new MetricsPortError(`Port ${port} on ${host} is already in use. ${choose}`);
    case 'EACCES':
      return new MetricsPortError(`No permission to listen on port ${port}. ${choose}`);
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'ENOTFOUND':
      return new MetricsPortError(`${host} is not an address of this machine. Choose another with --host.`);
    default:
      return error;
  }
}
