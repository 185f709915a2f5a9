/** Node's HTTP server: the one file of the house that opens a listening socket for clients. */
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { invariant } from '../base/invariant.ts';
import { AddressRefusedError, PortTakenError } from './listen-errors.ts';
import { refuseMalformed, refuseTunnel } from './malformed-request.ts';
import { ownListener } from './own-listener.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

export interface ListeningServer {
  readonly address: ListenAddress;
  /** Takes no more connections and closes the idle ones; resolves when the last one is gone. */
  drain(): Promise<void>;
  /** Cuts off whoever is left. */
  destroy(): void;
}

/** A filter may be 64 KiB long, and longer when it is percent-encoded. */
const HEADER_BYTES_MAX = 256 * 1024;
/** Of requests on one connection that are not answered yet. Clients send one; were it not read, nothing would tell when its client goes. */
const ANSWERING_MAX = 64;
/** How often connections are looked at, as a part of the time that they are given. */
const LOOKS = 4;
const LOOK_EVERY_MS = { least: 20, most: 5_000 };

export interface ServerLimits {
  /** From its first byte, or from the beginning of its connection, until a request has come, its body included. */
  readonly readTimeoutMs: number;
  /** Between two requests of a connection. Longer than proxies in front keep theirs, we never close one that a proxy is about to use. */
  readonly keepAliveTimeoutMs: number;
  /** Connections at a time: each is an open file, and whoever writes logs and asks Postgres needs some too. Default: any number. */
  readonly connectionsMax?: number | undefined;
}

/** Who is told of what. */
export interface ServerPorts {
  readonly serve: (request: IncomingMessage, response: ServerResponse) => void;
  /** Told of an error after the server had begun to listen; it is closed then. */
  readonly failed: (error: Error) => void;
  /** Told of each connection that was one too many: it was closed, and nothing of it was read. */
  readonly turnedAway: () => void;
}

/** @throws {PortTakenError | AddressRefusedError} */
export function listen({ host, port }: ListenAddress, limits: ServerLimits, ports: ServerPorts): Promise<ListeningServer> {
  const connections = new Connections();
  const receive = (request: IncomingMessage, response: ServerResponse): void => {
    if (connections.begin(request, response)) ports.serve(request, response);
  };
  const server = createServer(optionsOf(limits), receive);
  server.maxConnections = limits.connectionsMax ?? Infinity;
  server.on('drop', () => ports.turnedAway());
  server.on('checkExpectation', receive); // Whatever it expects, it gets what it asks for.
  server.on('connection', (socket) => connections.add(socket));
  server.on('clientError', (error, socket) => refuseMalformed(error, socket, connections.isAnswering(socket)));
  server.on('connect', (_request, socket) => refuseTunnel(socket, connections.isAnswering(socket)));
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => reject(listenError(error, host, port));
    server.once('error', refuse);
    server.listen({ host, port }, () => {
      server.off('error', refuse);
      server.on('error', (error) => ports.failed(error));
      resolve(listening(server, connections, host));
    });
  });
}

/** A request without a host is answered as well: there is but one here. */
function optionsOf({ readTimeoutMs, keepAliveTimeoutMs }: ServerLimits): ServerOptions {
  return {
    maxHeaderSize: HEADER_BYTES_MAX,
    requireHostHeader: false,
    keepAliveTimeout: keepAliveTimeoutMs,
    headersTimeout: readTimeoutMs,
    requestTimeout: readTimeoutMs,
    connectionsCheckingInterval: Math.min(Math.max(readTimeoutMs / LOOKS, LOOK_EVERY_MS.least), LOOK_EVERY_MS.most),
  };
}

function listening(server: Server, connections: Connections, host: string): ListeningServer {
  const address = server.address();
  invariant(typeof address === 'object' && address !== null, 'a server that listens on TCP has a port');
  return {
    address: { host, port: address.port },
    drain: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      connections.drain();
      return closed;
    },
    destroy: () => server.closeAllConnections(),
  };
}

/**
 * The open connections, with the answers that each of them waits for. Node closes idle ones itself when a server stops,
 * but not those that never sent a request, as browsers open in advance, nor those whose answer had already begun.
 */
class Connections {
  /** Mostly a connection waits for one answer or for none, and needs no set. */
  private readonly answering = new Map<Duplex, ServerResponse | Set<ServerResponse> | undefined>();
  private readonly whenClosed = ownListener((socket: Duplex) => this.remove(socket));
  private readonly whenAnswered = ownListener((response: ServerResponse) => this.answered(response));
  private isDraining = false;

  add(socket: Duplex): void {
    this.answering.set(socket, undefined);
    socket.on('close', this.whenClosed);
  }

  /** @returns false when nobody is to answer: the connection has ended, or ends because too many requests wait on it. */
  begin({ socket }: IncomingMessage, response: ServerResponse): boolean {
    if (!this.answering.has(socket) || socket.destroyed) return false;
    const answers = this.answersTo(socket);
    if (answers.length === ANSWERING_MAX) {
      socket.destroy();
      return false;
    }
    this.answering.set(socket, answers.length === 0 ? response : new Set([...answers, response]));
    response.on('close', this.whenAnswered);
    return true;
  }

  /** Whether an answer has begun, or is owed to a request that has come whole: what is written now would be taken for it. */
  isAnswering(socket: Duplex): boolean {
    return this.answersTo(socket).some(({ headersSent, req }) => headersSent || req.complete);
  }

  drain(): void {
    this.isDraining = true;
    for (const socket of this.answering.keys()) this.endIfIdle(socket);
  }

  private remove(socket: Duplex): void {
    const answers = this.answersTo(socket);
    this.answering.delete(socket);
    for (const response of answers) closeUnsent(response);
  }

  private answered(response: ServerResponse): void {
    const { socket } = response.req;
    const answers = this.answering.get(socket);
    if (answers instanceof Set) answers.delete(response);
    else if (answers === response) this.answering.set(socket, undefined);
    if (this.isDraining) this.endIfIdle(socket);
  }

  private endIfIdle(socket: Duplex): void {
    if (this.answering.has(socket) && this.answersTo(socket).length === 0) socket.end(() => socket.destroy());
  }

  /** Of which none is sent whole. */
  private answersTo(socket: Duplex): readonly ServerResponse[] {
    const answers = this.answering.get(socket);
    return answers instanceof Set ? [...answers] : [answers ?? []].flat();
  }
}

/** An answer whose turn on its connection has not come has no socket yet: Node would let it wait for ever, and all that it holds. */
function closeUnsent(response: ServerResponse): void {
  if (response.socket !== null) return;
  response.destroy();
  response.emit('close');
}

function listenError(error: Error, host: string, port: number): Error {
  const code = 'code' in error ? error.code : undefined;
  const at = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  switch (code) {
    case 'EADDRINUSE':
      return new PortTakenError(`${at} is already in use. Stop the program that listens there, or choose another port (--port).`);
    case 'EACCES':
      return new AddressRefusedError(`No permission to listen on ${at}. Choose a port above 1023 with --port.`);
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'ENOTFOUND':
      return new AddressRefusedError(`${host} is not an address of this machine. Choose another with --host.`);
    default:
      return error;
  }
}
