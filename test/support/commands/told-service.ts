/** A server over real HTTP that answers as a service does, from a table of paths, and remembers what it was asked. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Told {
  readonly status?: number;
  readonly body: unknown;
}

export class ToldService {
  /** Path and query of each request, and what it brought as its authorization. */
  readonly asked: { readonly url: string; readonly authorization: string | undefined }[] = [];
  private server: Server | undefined;

  /** @param answers by path; given the query of the request. A path without an answer is 404, without a body. */
  constructor(private readonly answers: Readonly<Record<string, (query: URLSearchParams) => Told>>) {}

  async start(): Promise<string> {
    const server = createServer((request, response) => {
      const { status, text } = this.answer(request);
      response.writeHead(status, { 'content-type': 'application/json' }).end(text);
    }).listen(0, '127.0.0.1');
    this.server = server;
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }

  private answer({ url = '/', headers }: IncomingMessage): { status: number; text: string } {
    this.asked.push({ url, authorization: headers.authorization });
    const { pathname, searchParams } = new URL(url, 'http://service');
    const told = this.answers[pathname]?.(searchParams);
    if (told === undefined) return { status: 404, text: '' };
    return { status: told.status ?? 200, text: typeof told.body === 'string' ? told.body : JSON.stringify(told.body) };
  }
}
