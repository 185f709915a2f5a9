/**
 * Request and response, as this room uses them: those of Node's server, and those that stand for a `Request` and its `Response` of the
 * web. So there is one translation, whichever way a request comes.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Writable } from 'node:stream';

type BodyEvent = 'data' | 'end' | 'error' | 'close';

/** The body comes as the events of a stream. */
export interface HttpRequest {
  readonly method?: string | undefined;
  /** A path with its query, or an absolute URL. */
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  on(event: BodyEvent, listener: (piece: Buffer) => void): HttpRequest;
  off(event: BodyEvent, listener: (piece: Buffer) => void): HttpRequest;
}

type Written = 'on' | 'once' | 'off' | 'write' | 'end' | 'cork' | 'uncork' | 'destroy' | 'destroyed' | 'writableLength';

export interface HttpResponse extends Pick<Writable, Written> {
  readonly headersSent: boolean;
  /** Null until it is its turn on its connection. */
  readonly socket: object | null;
  /** @param headers name, value, name, value… */
  writeHead(status: number, headers: string[]): HttpResponse;
  flushHeaders(): void;
}
