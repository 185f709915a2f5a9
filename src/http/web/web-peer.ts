/**
 * WebPeer: a `Request` of the web as this room takes one, and the `Response` that becomes of what is written.
 *
 * Whoever passed the request on reads the answer at his own pace. The bounds of the server hold here too: so much of an answer waits as
 * would in the buffers of a socket, and who takes nothing for a while is cut off. Headers of a connection (how its
 * bytes are framed, whether it goes on) are left to whoever has one.
 */
import { Readable, Writable } from 'node:stream';
import { ReadableStream, type ReadableStreamDefaultController, type UnderlyingSource } from 'node:stream/web';
import type { HttpRequest, HttpResponse } from '../peer.ts';
import type { WebRequest, WebResponse } from './web-types.ts';

const OF_CONNECTION = new Set(['connection', 'transfer-encoding']);
const WITHOUT_BODY = new Set([204, 304]);
/** Of what was written, bytes that wait before the writer has to. */
const HELD_BYTES = 64 * 1024;
/** What an answer that nobody waits for says to whom it reaches all the same. */
const CLIENT_GONE = 499;
export const BODY_TAKEN = 'The body of this request has been read already, or is being read: pass on one whose body nobody has taken.';

/** Somebody has read its body, or reads it. */
export function isTaken({ body, bodyUsed }: WebRequest): boolean {
  return bodyUsed || body?.locked === true;
}

export class PeerRequest implements HttpRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: HttpRequest['headers'];
  private stream: Readable | undefined;

  constructor(private readonly request: WebRequest) {
    const { pathname, search } = new URL(request.url);
    this.url = pathname + search;
    this.method = request.method;
    this.headers = Object.fromEntries(request.headers);
  }

  on(...[event, listener]: Parameters<HttpRequest['on']>): this {
    this.body.on(event, listener);
    return this;
  }

  off(...[event, listener]: Parameters<HttpRequest['off']>): this {
    this.stream?.off(event, listener); // A body that nobody could take has no stream.
    return this;
  }

  /** Taken when it is asked for: until then whoever decides about the request may look at a copy. */
  private get body(): Readable {
    this.stream ??= this.bodyStream();
    return this.stream;
  }

  private bodyStream(): Readable {
    if (isTaken(this.request)) throw new TypeError(BODY_TAKEN); // By whoever decided about the request.
    const { body } = this.request;
    const stream = body === null ? Readable.from([]) : Readable.fromWeb(body);
    return stream.on('error', () => {}); // A body that breaks off when nobody reads it any longer is nobody's concern.
  }
}

export class PeerResponse extends Writable implements HttpResponse {
  headersSent = false;
  readonly socket = {};
  private settle: (response: WebResponse) => void = () => {};
  private readonly response = new Promise<WebResponse>((resolve) => (this.settle = resolve));
  private controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  private taken: (() => void) | undefined;

  /** @param isHead the answer has no body, whatever its headers tell. */
  constructor(private readonly isHead: boolean) {
    super({ highWaterMark: HELD_BYTES });
    this.on('error', () => {});
  }

  /** Resolves when the headers are there. */
  get told(): Promise<WebResponse> {
    return this.response;
  }

  /** Somebody else has answered. */
  giveWay(response: WebResponse): void {
    this.settle(response);
    this.destroy();
  }

  /** Nobody waits for it. */
  leave(): void {
    this.settle(new Response(null, { status: CLIENT_GONE }));
    this.destroy();
  }

  writeHead(status: number, headers: string[]): this {
    const hasBody = !this.isHead && !WITHOUT_BODY.has(status);
    const held = new ByteLengthQueuingStrategy({ highWaterMark: HELD_BYTES });
    const stream = hasBody ? new ReadableStream<Uint8Array>(this.source(), held) : null;
    this.settle(new Response(stream, { status, headers: pairsOf(headers) }));
    this.headersSent = true;
    return this;
  }

  flushHeaders(): void {} // They are there.

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.give([chunk], done);
  }

  override _writev(chunks: { readonly chunk: Uint8Array }[], done: () => void): void {
    this.give(chunks.map(({ chunk }) => chunk), done);
  }

  override _final(done: () => void): void {
    this.controller?.close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.settle(away()); // It ends before it began, and its client waits.
    if (!this.writableFinished) this.controller?.error(error ?? new Error('The answer was broken off'));
    done(error);
  }

  /** They are copied: other clients are given the same bytes, and whoever has a piece of a stream may do with it what he likes. */
  private give(chunks: readonly Uint8Array[], done: () => void): void {
    if (this.controller === undefined) return done();
    this.controller.enqueue(new Uint8Array(Buffer.concat(chunks)));
    if ((this.controller.desiredSize ?? 0) > 0) return done();
    this.taken = () => {
      this.taken = undefined;
      done();
    };
  }

  private source(): UnderlyingSource<Uint8Array> {
    return {
      start: (controller) => void (this.controller = controller),
      pull: () => this.taken?.(),
      cancel: () => void this.destroy(),
    };
  }
}

/** For a client that may try again. */
export function away(): WebResponse {
  const headers = {
    'retry-after': '1', 'cache-control': 'no-store', 'surrogate-control': 'no-store',
    'access-control-allow-origin': '*', 'access-control-expose-headers': 'retry-after',
  };
  return Response.json({ message: 'The service does not run now. Please try again later.' }, { status: 503, headers });
}

function pairsOf(headers: readonly string[]): [string, string][] {
  const pairs = headers.flatMap((name, index): [string, string][] => (index % 2 === 0 ? [[name, headers[index + 1] ?? '']] : []));
  return pairs.filter(([name]) => !OF_CONNECTION.has(name));
}
