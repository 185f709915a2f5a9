/**
 * RequestDispatcher: receives requests, sends them where they belong, and sees each of them to its end. Whether they came over a socket or
 * from the program around the service makes no difference from here on.
 */
import type { Api } from '../api/api.ts';
import { DRAINING } from '../api/draining.ts';
import type { ShapeBounds } from '../api/shape-bounds.ts';
import { isLive } from '../api/shape-response.ts';
import type { Clock } from '../base/clock.ts';
import { andThen, type NowOrLater } from '../base/now-or-later.ts';
import type { Random } from '../base/random.ts';
import { takesGzip } from './accept-encoding.ts';
import { BodyIntake, type BodyLimits } from './bodies/body-intake.ts';
import { ClientTally } from './client-tally.ts';
import { Deflater } from './deflater.ts';
import { errorAnswer } from './error-answer.ts';
import { Exchange } from './exchange.ts';
import { secretGate, shut, type Gate } from './gate.ts';
import { KnownQueries } from './known-queries.ts';
import { LaterAnswer } from './later-answer.ts';
import { JSON_TYPE } from './media-types.ts';
import { ownListener } from './own-listener.ts';
import { pageAnswer, type Pages } from './pages.ts';
import type { RequestWatch } from './request-watch.ts';
import { commonHeaders, givenRequestId, pageHeaders, preflightHeaders, type Headers } from './response-headers.ts';
import { shapeTargetOf, targetOf, type Target } from './routes.ts';
import { explainShape, readTransaction } from './told-routes.ts';
import { accessOf, type Secret } from './secret.ts';
import { sendLive, sendResponse, type HttpAnswer, type Sending } from './send-response.ts';
import type { HttpRequest, HttpResponse } from './peer.ts';
import { deleteShape, readShape, type ParameterSources } from './shape-routes.ts';

export interface DispatcherSettings {
  readonly secret: Secret;
  /** What the header `electric-server` says behind `ElectricSQL/`. */
  readonly version: string;
  readonly bodies: BodyLimits;
  /** For so long a client may take nothing of its answer. */
  readonly sendTimeoutMs: number;
}

export interface DispatcherPorts {
  readonly api: Api;
  readonly clock: Clock;
  readonly random: Random;
  /** What is served beside the api. */
  readonly pages?: Pages | undefined;
  /** Told of each request that ended in an error of ours; the client saw no detail. */
  failed(error: unknown, requestId: string): void;
  /** Told, not more often than each minute, how many clients were cut off since because they did not read. */
  cutOff(count: number): void;
  /** Follows each request. */
  readonly watch?: RequestWatch | undefined;
}

const NONE: Headers = [];
const CLOSING: Headers = ['connection', 'close'];
const ALIVE: HttpAnswer = { status: 200, headers: [], body: [] };
const NOT_FOUND: HttpAnswer = { status: 404, headers: ['content-type', 'text/plain; charset=utf-8'], body: [Buffer.from('Not found')] };

export class RequestDispatcher {
  private readonly exchanges = new Map<HttpResponse, Exchange>();
  private readonly whenClosed = ownListener((response: HttpResponse) => this.over(response));
  private whenEmpty: (() => void) | undefined;
  private readonly secretGate: Gate;
  private readonly sources: ParameterSources;
  /** For clients that take a coding, and for others. */
  private readonly coded: Sending;
  private readonly plain: Sending;
  private readonly slow: ClientTally;
  private readonly server: string;
  private readonly idPrefix: string;
  private idCount = 0;
  private isClosing = false;

  constructor(
    private readonly settings: DispatcherSettings,
    private readonly ports: DispatcherPorts,
  ) {
    this.secretGate = secretGate(settings.secret);
    this.sources = { bodies: new BodyIntake(ports.clock, settings.bodies), queries: new KnownQueries(ports.clock) };
    this.slow = new ClientTally(ports.clock, (count) => ports.cutOff(count));
    this.plain = { clock: ports.clock, stallMsMax: settings.sendTimeoutMs, deflater: undefined, cutOff: () => this.slow.add() };
    this.coded = { ...this.plain, deflater: new Deflater(ports.clock) };
    this.server = `ElectricSQL/${settings.version} (Armature)`;
    this.idPrefix = Array.from({ length: 12 }, () => ports.random.below(16).toString(16)).join('');
  }

  receive(request: HttpRequest, response: HttpResponse): void {
    this.take(request, response, targetOf(request.method ?? '', request.url ?? '/'), this.secretGate);
  }

  /** Receives what is a request for a shape, whatever its path. @param gate by default that of the secret. */
  receiveForShape(request: HttpRequest, response: HttpResponse, gate?: Gate): void {
    this.take(request, response, shapeTargetOf(request.method ?? '', request.url ?? '/'), gate ?? this.secretGate);
  }

  /** Answers one whom nobody serves any more: it may ask again. */
  refuse(request: HttpRequest, response: HttpResponse): void {
    this.take(request, response, targetOf(request.method ?? '', request.url ?? '/'), shut);
  }

  private take(request: HttpRequest, response: HttpResponse, target: Target, gate: Gate): void {
    const exchange = new Exchange(givenRequestId(request), request, target);
    this.exchanges.set(response, exchange);
    if (this.isClosing) exchange.interrupt(DRAINING); // On a connection that was open still.
    exchange.follow(this.ports.watch);
    response.on('close', this.whenClosed);
    this.attempt(exchange, response, () => this.serve(exchange, response, gate));
  }

  private attempt(exchange: Exchange, response: HttpResponse, serve: () => NowOrLater<void>): void {
    try {
      const served = serve();
      if (served instanceof Promise) served.catch((error: unknown) => this.fail(exchange, response, error));
    } catch (error) {
      void this.fail(exchange, response, error);
    }
  }

  private over(response: HttpResponse): void {
    this.exchanges.get(response)?.end();
    this.exchanges.delete(response);
    if (this.exchanges.size === 0) this.whenEmpty?.();
  }

  /** The long-polls that wait are answered now, and every response from now on asks its client to close the connection. */
  drain(): void {
    this.isClosing = true;
    for (const exchange of this.exchanges.values()) exchange.interrupt(DRAINING);
  }

  /** Resolves when every request that there is has come to its end. */
  emptied(): Promise<void> {
    return this.exchanges.size === 0 ? Promise.resolve() : new Promise((resolve) => (this.whenEmpty = resolve));
  }

  /** Ends the requests that are left, whatever they wait for. */
  destroy(): void {
    for (const response of this.exchanges.keys()) response.destroy();
  }

  /** All responses are closed. */
  close(): void {
    this.slow.close();
  }

  /** What a client asked for behind other requests, and went before its turn, is not begun. */
  private serve(exchange: Exchange, response: HttpResponse, gate: Gate): NowOrLater<void> {
    return andThen(untilInTurn(response), () => {
      if (response.destroyed) return;
      return andThen(this.answer(exchange, gate), (answer) => this.tell(exchange, response, answer));
    });
  }

  private tell(exchange: Exchange, response: HttpResponse, answer: HttpAnswer | LaterAnswer | undefined): NowOrLater<void> {
    if (!(answer instanceof LaterAnswer)) return this.send(exchange, response, answer);
    exchange.wait();
    answer.whenGiven((given) => this.attempt(exchange, response, () => andThen(given(), (told) => {
      if (!exchange.isOver) return this.send(exchange, response, told); // Else its client went while others had their turn.
    })));
  }

  private answer(exchange: Exchange, gate: Gate): NowOrLater<HttpAnswer | LaterAnswer | undefined> {
    const { api } = this.ports;
    const { route } = exchange.target;
    switch (route) {
      case 'liveness':
        return this.page(exchange, ALIVE);
      case 'health':
        return this.health(exchange);
      case 'shapeOptions':
      case 'toldOptions':
        return { status: 204, headers: preflightHeaders(exchange.request), body: [] };
      case 'unknown':
        return this.page(exchange, NOT_FOUND);
      case 'explainShape':
        return this.guarded(exchange, gate, () => explainShape(api, exchange));
      case 'readTransaction':
        return this.guarded(exchange, gate, () => readTransaction(api, exchange));
      case 'readShape':
        return this.guarded(exchange, gate, (bounds) => readShape(api, this.sources, exchange, bounds));
      case 'deleteShape':
        return this.guarded(exchange, gate, () => (gate === this.secretGate ? deleteShape(api, exchange) : undeletable()));
    }
  }

  /** @param answer gets what is fixed of the request. Bounds are fixed for reads of a shape alone (`receiveForShape`). */
  private guarded(
    exchange: Exchange,
    gate: Gate,
    answer: (bounds: ShapeBounds | undefined) => NowOrLater<HttpAnswer | LaterAnswer | undefined>,
  ): NowOrLater<HttpAnswer | LaterAnswer | undefined> {
    return andThen(gate(exchange), (passage) => {
      if (passage.kind === 'closed') return passage.answer;
      if (exchange.isOver) return undefined; // Its client went while it was decided about: no shape is made for nobody.
      const { bounds, told } = passage;
      if (told === undefined) return answer(bounds);
      return andThen(answer(bounds), (answered) => (answered instanceof LaterAnswer ? answered.told(told) : answered && told(answered)));
    });
  }

  private async page(exchange: Exchange, otherwise: HttpAnswer): Promise<HttpAnswer> {
    return (await pageAnswer(this.ports.pages, exchange)) ?? otherwise;
  }

  /** Everybody may ask. What names others is told to whoever has the secret. */
  private async health(exchange: Exchange): Promise<HttpAnswer> {
    const { api } = this.ports;
    const isTrusted = accessOf(this.settings.secret, exchange) !== 'denied';
    const cause = await api.cause(isTrusted);
    const level = api.level();
    const limits = isTrusted ? api.limits() : undefined;
    const told = { ...(cause === undefined ? {} : { cause }), ...(limits === undefined ? {} : { limits }) };
    return {
      status: level === 'active' ? 200 : 202,
      headers: ['content-type', JSON_TYPE, 'cache-control', 'no-cache, no-store, must-revalidate'],
      body: [Buffer.from(JSON.stringify({ status: level, ...told }))],
    };
  }

  /** @param answer undefined when nobody waits for one. */
  private send(exchange: Exchange, response: HttpResponse, answer: HttpAnswer | undefined): NowOrLater<void> {
    if (answer === undefined) return void response.destroy();
    const { request, target } = exchange;
    const id = this.idOf(exchange);
    exchange.answered(answer);
    const { status, body, coding, isPage } = answer;
    const common = isPage === true ? pageHeaders(id) : commonHeaders(request, target.resource, this.server, id);
    const headers = [...common, ...(this.isClosing ? CLOSING : NONE), ...answer.headers];
    const sending = takesGzip(request.headers['accept-encoding']) ? this.coded : this.plain;
    const isHead = request.method === 'HEAD';
    if (!isLive(body)) return sendResponse(response, { status, headers, body, coding }, isHead, sending);
    exchange.wait();
    sendLive(response, { status, headers }, body, isHead, sending, (error) => void this.fail(exchange, response, error));
  }

  /** An error of ours: the client learns nothing of it, and an answer that had begun is cut off. */
  private async fail(exchange: Exchange, response: HttpResponse, error: unknown): Promise<void> {
    this.ports.failed(error, this.idOf(exchange));
    if (response.headersSent) response.destroy();
    else await this.send(exchange, response, internalError());
  }

  /** The one that its client has given it, or the next one. */
  private idOf(exchange: Exchange): string {
    return (exchange.id ??= this.freshId());
  }

  private freshId(): string {
    this.idCount += 1;
    return `${this.idPrefix}-${this.idCount.toString(16).padStart(12, '0')}`;
  }
}

/**
 * Resolves when all requests before it on its connection are answered, and when its client has gone: until then an answer could only
 * wait in memory, and of requests a client may send any number.
 */
function untilInTurn(response: HttpResponse): NowOrLater<void> {
  if (response.socket !== null || response.destroyed) return undefined;
  return new Promise((resolve) => {
    response.once('socket', () => resolve());
    response.once('close', resolve);
  });
}

/** Who is let in by a program's own word deletes nothing: a shape is everybody's who has the same definition. */
function undeletable(): HttpAnswer {
  return errorAnswer(405, { message: 'DELETE not allowed' });
}

function internalError(): HttpAnswer {
  return errorAnswer(500, { error: 'Internal server error' });
}
