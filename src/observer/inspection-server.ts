/**
 * Inspection server: streams what every process does to whoever connects, on this machine only.
 *
 * It must neither harm nor tell: the runtime is observed only while somebody is connected; a reader that is slow, or
 * an event that cannot be shown, ends that stream and never holds the service up; and a page from elsewhere, open in
 * the user's browser, is refused, since a browser lets any page connect to this machine.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WebSocket, WebSocketServer } from 'ws';
import { systemClock, type Clock } from '../base/clock.ts';
import type { Runtime } from '../otp/runtime.ts';
import { contentPolicy, pageAt, VISUALIZER_ORIGIN } from './visualizer-page.ts';
import { WireFormat } from './wire-format.ts';

export interface InspectionOptions {
  readonly runtime: Pick<Runtime, 'inspect'>;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly host?: '127.0.0.1' | '::1';
  readonly clock?: Pick<Clock, 'epochMicros'>;
  /** Where the service shows itself, which the page names first; undefined while or where it does not. */
  readonly observerUrl?: () => string | undefined;
  /** What may wait for a slow reader, in bytes. */
  readonly unsentBytesMax?: number;
}

export interface InspectionServer {
  /** Of the page that says what there is, and can show the visualizer; the stream itself is a WebSocket at the same address. */
  readonly url: string;
  /** Ends all streams; resolves when nothing is left open. */
  close(): Promise<void>;
}

/** Somebody else listens there: nothing was opened. */
export class InspectionPortTakenError extends Error {
  override readonly name = 'InspectionPortTakenError';
}

const UNSENT_BYTES_MAX = 16 * 1024 * 1024;
const CLIENTS_MAX = 4;
/** A client has nothing to say. */
const RECEIVED_BYTES_MAX = 1024;
/** Of the WebSocket protocol: the server met what it cannot go on with. */
const INTERNAL_ERROR = 1011;

/** @throws {InspectionPortTakenError} */
export async function startInspectionServer(options: InspectionOptions): Promise<InspectionServer> {
  const { host = '127.0.0.1' } = options;
  const ws = await import('ws'); // It is seldom asked for, and every start would load it.
  const server = createServer((request, response) => servePage(server, options, request, response));
  const port = await listen(server, host, options.port);
  const sockets: WebSocketServer = new ws.WebSocketServer({
    server,
    maxPayload: RECEIVED_BYTES_MAX,
    verifyClient: ({ origin }: { origin?: string }, answer) => {
      if (!mayRead(origin)) answer(false, 403);
      else if (sockets.clients.size >= CLIENTS_MAX) answer(false, 503);
      else answer(true);
    },
  });
  sockets.on('connection', (socket) => stream(socket, options));
  sockets.on('error', () => void close(server, sockets)); // The stream may end, the service must not.
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, close: () => close(server, sockets) };
}

/** Tells `socket` of those who live, then of all that happens, until it closes. */
function stream(socket: WebSocket, { runtime, clock = systemClock, unsentBytesMax = UNSENT_BYTES_MAX }: InspectionOptions): void {
  const format = new WireFormat(clock);
  let isStreaming = true;
  const send = (messagesOf: () => readonly string[]): void => {
    if (!isStreaming) return;
    try {
      for (const message of messagesOf()) socket.send(message);
    } catch (error) {
      // Whatever it is: we are inside a process's transition, which must not fail because somebody watches.
      isStreaming = false;
      socket.close(INTERNAL_ERROR, error instanceof Error ? error.name : 'error');
    }
    if (socket.bufferedAmount <= unsentBytesMax) return;
    isStreaming = false;
    socket.terminate();
  };
  const detach = runtime.inspect((event) => send(() => format.messagesOf(event)));
  send(() => format.announced());
  socket.on('close', detach);
  socket.on('error', () => socket.terminate()); // It said too much, or went away.
}

/** Who sends no origin is no browser. */
function mayRead(origin: string | undefined): boolean {
  if (origin === undefined || origin === VISUALIZER_ORIGIN) return true;
  return URL.canParse(origin) && ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(origin).hostname);
}

function servePage(
  server: Server,
  { observerUrl }: InspectionOptions,
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
): void {
  const page = pageAt(url, observerUrl?.());
  if (page === undefined || method !== 'GET') {
    response.writeHead(404).end();
    return;
  }
  const policy = contentPolicy((server.address() as AddressInfo).port); // It listens on a port, no pipe.
  response
    .writeHead(200, { 'content-type': page.contentType, 'content-security-policy': policy, 'cache-control': 'no-store' })
    .end(page.body);
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void => {
      const advice = `Port ${port} on ${host} is taken: choose another for the inspection stream, or 0 for any.`;
      reject(error.code === 'EADDRINUSE' ? new InspectionPortTakenError(advice) : error);
    };
    server.once('error', refuse);
    server.listen({ host, port }, () => {
      server.off('error', refuse);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

async function close(server: Server, sockets: WebSocketServer): Promise<void> {
  for (const socket of sockets.clients) socket.terminate();
  sockets.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
