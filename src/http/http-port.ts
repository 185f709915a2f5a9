/**
 * HttpPort: the server in front of the api, as a process of the tree. It translates and decides nothing.
 *
 * Whatever a request held is given back when its response closes, on every path. When the port stops it takes no new
 * connections, answers the long-polls that wait, lets streams run for a bounded time, and then cuts off the rest.
 */
import type { Api } from '../api/api.ts';
import { DRAINING } from '../api/read-shape.ts';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { PortContext, PortHandle, PortSpec } from '../otp/process.ts';
import { commonHeaders, JSON_TYPE, preflightHeaders, type Headers } from './response-headers.ts';
import { targetOf, type Target } from './routes.ts';
import { isAuthorized, type Secret } from './secret.ts';
import { sendResponse, type Answer } from './send-response.ts';
import { listen, type HttpRequest, type HttpResponse, type ListenAddress } from './server.ts';
import { deleteShape, readShape } from './shape-routes.ts';

export interface HttpSettings extends ListenAddress {
  readonly secret: Secret;
  /** What the header `electric-server` says behind `ElectricSQL/`. */
  readonly version: string;
  /** How long open responses may go on after the port was told to stop. */
  readonly drainTimeoutMs: number;
}

export interface HttpPorts {
  readonly api: Api;
  readonly clock: Clock;
  readonly random: Random;
  /** Told where the server listens, once it does. */
  listening?(address: ListenAddress): void;
  /** Told of each request that ended in an error of ours; the client saw no detail. */
  failed(error: unknown, requestId: string): void;
}

/** A request that is being served, and what its end gives back. */
interface Open {
  readonly abort: AbortController;
  readonly releases: (() => void)[];
}

export function httpPort(settings: HttpSettings, ports: HttpPorts): PortSpec {
  return { name: '@http', open: (context) => openServer(settings, ports, context) };
}

async function openServer(settings: HttpSettings, ports: HttpPorts, context: PortContext): Promise<PortHandle> {
  const exchanges = new Set<Open>();
  const desk = new FrontDesk(settings, ports, exchanges);
  const server = await listen(settings, (request, response) => desk.receive(request, response), (error) => context.exit(error));
  ports.listening?.(server.address);
  return {
    requests: { listenAddress: () => ({ type: 'http.listening', ...server.address }) },
    async close() {
      desk.closeAfterwards();
      const drained = server.drain();
      for (const { abort } of exchanges) abort.abort(DRAINING);
      const timer = ports.clock.setTimer(() => server.destroy(), settings.drainTimeoutMs);
      await drained;
      ports.clock.clearTimer(timer);
    },
  };
}

/** Receives requests, sends them where they belong, and sees each of them to its end. */
class FrontDesk {
  private isClosing = false;
  private idCount = 0;
  private readonly idPrefix: string;
  private readonly server: string;

  constructor(
    private readonly settings: HttpSettings,
    private readonly ports: HttpPorts,
    private readonly exchanges: Set<Open>,
  ) {
    this.server = `ElectricSQL/${settings.version} (Armature)`;
    this.idPrefix = Array.from({ length: 12 }, () => ports.random.below(16).toString(16)).join('');
  }

  /** From now on every response asks its client to close the connection. */
  closeAfterwards(): void {
    this.isClosing = true;
  }

  receive(request: HttpRequest, response: HttpResponse): void {
    const target = targetOf(request.method ?? '', request.url ?? '/');
    const common = commonHeaders(request, target.resource, this.server, () => this.freshId());
    const open: Open = { abort: new AbortController(), releases: [] };
    this.exchanges.add(open);
    response.once('close', () => this.finish(open));
    this.answer(request, target, open)
      .then((answer) => this.send(request, response, common, answer))
      .catch((error: unknown) => this.fail(error, request, response, common));
  }

  private async answer(request: HttpRequest, { route, query }: Target, open: Open): Promise<Answer | undefined> {
    const exchange = { api: this.ports.api, request, query, signal: open.abort.signal, whenOver: (release: () => void) => void open.releases.push(release) };
    switch (route) {
      case 'liveness':
        return { status: 200, headers: [], body: [] };
      case 'health':
        return this.health();
      case 'shapeOptions':
        return { status: 204, headers: preflightHeaders(request), body: [] };
      case 'unknown':
        return { status: 404, headers: ['content-type', 'text/plain; charset=utf-8'], body: [Buffer.from('Not found')] };
      case 'readShape':
      case 'deleteShape':
        if (!isAuthorized(this.settings.secret, query)) return unauthorized();
        return route === 'deleteShape' ? deleteShape(exchange) : readShape(exchange);
    }
  }

  private health(): Answer {
    const level = this.ports.api.level();
    return {
      status: level === 'active' ? 200 : 202,
      headers: ['content-type', JSON_TYPE, 'cache-control', 'no-cache, no-store, must-revalidate'],
      body: [Buffer.from(JSON.stringify({ status: level }))],
    };
  }

  /** @param answer undefined when nobody waits for one. */
  private async send(request: HttpRequest, response: HttpResponse, common: Headers, answer: Answer | undefined): Promise<void> {
    if (answer === undefined) return void response.destroy();
    const closing = this.isClosing ? ['connection', 'close'] : [];
    await sendResponse(response, { ...answer, headers: [...common, ...closing, ...answer.headers] }, request.method === 'HEAD');
  }

  /** An error of ours: the client learns nothing of it, and an answer that had begun is cut off. */
  private async fail(error: unknown, request: HttpRequest, response: HttpResponse, common: Headers): Promise<void> {
    this.ports.failed(error, common[3] ?? '');
    if (response.headersSent) {
      response.destroy();
    } else {
      await this.send(request, response, common, internalError());
    }
  }

  private finish(open: Open): void {
    this.exchanges.delete(open);
    open.abort.abort('closed');
    for (const release of open.releases) release();
  }

  private freshId(): string {
    this.idCount += 1;
    return `${this.idPrefix}-${this.idCount.toString(16).padStart(12, '0')}`;
  }
}

function unauthorized(): Answer {
  return errorAnswer(401, { message: 'Unauthorized - Invalid API secret' });
}

function internalError(): Answer {
  return errorAnswer(500, { error: 'Internal server error' });
}

function errorAnswer(status: number, body: unknown): Answer {
  return {
    status,
    headers: ['content-type', JSON_TYPE, 'cache-control', 'no-store', 'surrogate-control', 'no-store'],
    body: [Buffer.from(JSON.stringify(body))],
  };
}
