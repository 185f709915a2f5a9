/** Page: what is asked and answered beside the shapes, on the same socket. Who has pages knows no server, and the server no pages. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Body, LiveBody } from './shape-response.ts';

export interface PageRequest {
  readonly method: string;
  /** As it came, without the query and not decoded: pages compare it exactly. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Aborted when nobody waits for the answer any longer, or when the server closes. */
  readonly signal: AbortSignal;
}

export interface PageAnswer {
  readonly status: number;
  /** All of them, but for the request's id: name, value, name, value… */
  readonly headers: readonly string[];
  readonly body: Body | LiveBody;
}
