/** The small world of `api-world.ts` with the real server in front, on a port that the system chose. */
import { fetchHandler } from '../../../src/http/web/fetch-handler.ts';
import type { FetchHandler, FetchHandlerOptions } from '../../../src/http/web/handler-types.ts';
import { httpPort, type HttpSettings } from '../../../src/http/http-port.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { seededRandom } from '../../../src/base/random.ts';
import type { Pid } from '../../../src/otp/process.ts';
import { ServiceReception } from '../../../src/service/wiring/edge.ts';
import { createWorld, type World, type WorldOptions } from './api-world.ts';
import { working } from '../postgres/port-harness.ts';

export interface HttpWorld extends World {
  readonly origin: string;
  readonly port: number;
  /** Errors of ours that a request ended in. */
  readonly failures: unknown[];
  /** How many clients that did not read were cut off, each time that this was told. */
  readonly cutOff: readonly number[];
  /** Connections that were one too many, as they were told of. */
  readonly turnedAway: readonly number[];
  /** @param path with its query, from `/` on. */
  get(path: string, init?: RequestInit): Promise<Response>;
  /** `/v1/shape?…` */
  shape(query: string, init?: RequestInit): Promise<Response>;
  /** Resolves once so many requests are parked. */
  untilParked(count: number): Promise<void>;
  /** Resolves once `condition` holds, however many turns of the event loop that takes. */
  until(condition: () => boolean): Promise<void>;
  /** For requests of the web, which come to the same server without a socket. */
  handler(options?: FetchHandlerOptions): FetchHandler;
  close(): Promise<void>;
}

export interface HttpWorldOptions extends WorldOptions {
  readonly http?: Partial<HttpSettings>;
}

/** Longer than a test that is not about them. */
const TIMEOUTS = { drainTimeoutMs: 1000, readTimeoutMs: 60_000, keepAliveTimeoutMs: 75_000, sendTimeoutMs: 30_000 };

export async function startHttpWorld({ http, ...options }: HttpWorldOptions = {}): Promise<HttpWorld> {
  const world = createWorld(options);
  const failures: unknown[] = [];
  const cutOff: number[] = [];
  const turnedAway: number[] = [];
  let port = 0;
  const reception = new ServiceReception();
  const spec = httpPort(
    { host: '127.0.0.1', port: 0, secret: undefined, version: 'test', ...TIMEOUTS, ...http },
    {
      api: world.api,
      clock: world.clock,
      random: seededRandom(2),
      listening: (address) => (port = address.port),
      reception,
      failed: (error) => failures.push(error),
      cutOff: (count) => cutOff.push(count),
      turnedAway: (count) => turnedAway.push(count),
    },
  );
  const exit = (error: unknown): void => void failures.push(error);
  const handle = working(await spec.open({ self: 'test/http#1' as Pid, signal: new AbortController().signal, send: () => {}, exit }));
  const origin = `http://127.0.0.1:${port}`;
  const get: HttpWorld['get'] = (path, init) => fetch(origin + path, init);
  return Object.assign(world, {
    origin, port, failures, cutOff, turnedAway, get, until,
    shape: (query: string, init?: RequestInit) => get(`/v1/shape?${query}`, init),
    untilParked: (count: number) => until(() => world.api.load().parked === count),
    handler: (asked: FetchHandlerOptions = {}) => fetchHandler(() => reception.dispatcher, asked),
    close: async () => handle.close?.(),
  });
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise<void>((next) => {
      systemClock.setTimer(next, 1);
    });
  }
}

/** Electric headers, cache headers and body of a response, for one comparison. */
export async function told(response: Response, ...names: readonly string[]): Promise<Record<string, unknown>> {
  const body = await response.text();
  const headers = Object.fromEntries(names.map((name) => [name, response.headers.get(name)]));
  return { status: response.status, ...headers, body: isJson(response) && body !== '' ? JSON.parse(body) : body };
}

function isJson(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('application/json') ?? false;
}
