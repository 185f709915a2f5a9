/** PageRequest: what the observer needs to know of a request, and what it answers; of any server. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Body, LiveBody } from '../../api/shape-response.ts';

export interface PageRequest {
  readonly method: string;
  /** As it came, without the query and not decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Aborted when nobody waits for the answer any longer. */
  readonly signal: AbortSignal;
}

export interface PageAnswer {
  readonly status: number;
  /** Name, value, name, value… */
  readonly headers: readonly string[];
  readonly body: Body | LiveBody;
}

/** A file of the page, as it is shipped. */
export interface PageFile {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}
