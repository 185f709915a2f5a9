/**
 * RequestWatch: somebody who follows requests from outside, to count or to trace them. It is told little, and never of a body or
 * a parameter; it is called in the middle of the work, so it is quick and does not throw.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Headers } from './response-headers.ts';
import type { Route } from './routes.ts';

export interface RequestWatch {
  /** @returns who follows this request; undefined when nobody does. */
  begun(request: WatchedRequest): RequestFollower | undefined;
}

export interface WatchedRequest {
  readonly method: string;
  readonly route: Route;
  /** By its query: it would wait for changes. */
  readonly isLive: boolean;
  readonly headers: IncomingHttpHeaders;
}

export interface RequestFollower {
  /** Before the first byte goes out. Not told of a request that nobody waits for any more. */
  answered(status: number, headers: Headers): void;
  /** The last byte is gone, or the client. Once, and last. */
  over(): void;
}
