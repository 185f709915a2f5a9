/**
 * The app's own server, the only one that a browser talks to. It knows who somebody is (here: everybody), so it decides what they may read
 * and write: it reads the shape for them, writes to Postgres for them, and keeps the addresses and passwords of both.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { openPage } from './page.ts';
import { proxyShape, type ServiceAddress } from './shape-proxy.ts';
import { createTodos, takeChange } from './todo-writes.ts';

export interface AppOptions extends ServiceAddress {
  readonly databaseUrl: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

export interface App {
  readonly url: string;
  stop(): Promise<void>;
}

/** How long a write waits for a connection, and Postgres for it to be done. */
const WRITE_MS_MAX = 5_000;

export async function startApp({ databaseUrl, port, ...service }: AppOptions): Promise<App> {
  const timeouts = { connectionTimeoutMillis: WRITE_MS_MAX, statement_timeout: WRITE_MS_MAX };
  const database = new pg.Pool({ connectionString: databaseUrl, max: 5, ...timeouts });
  database.on('error', () => {}); // One that rests was ended by Postgres: the next write takes another.
  await createTodos(database);
  const server = createServer();
  const page = await openPage(server);
  server.on('request', route({
    '/shapes/todos': (request, response) => proxyShape(service, request, response),
    '/changes': (request, response) => takeChange(database, request, response),
  }, page.middlewares));
  await listen(server, port);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.close();
      server.closeAllConnections(); // Of pages that follow the list: they would stay for ever.
      await page.close();
      await database.end();
    },
  };
}

type Answer = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** What fails here, unless the client has left, is a fault of this program: it ends the answer, and is told where somebody looks. */
function route(answers: Readonly<Record<string, Answer>>, others: RequestListener): RequestListener {
  return (request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    const answer = Object.hasOwn(answers, path) ? answers[path] : undefined;
    if (answer === undefined) return others(request, response);
    answer(request, response).catch((error: unknown) => {
      if (request.complete) console.error(error);
      response.destroy();
    });
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new Error(`Port ${port} is taken. Choose another one: npm run example -- --port=5174`) : error);
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}
