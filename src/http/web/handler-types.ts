/**
 * The types by which a program and its handler of requests know each other. They stand apart from who does the work, so that they lead to
 * no types of Node, nor of any package.
 */
import type { WebRequest, WebResponse } from './web-types.ts';

/** What stands for `$1`, `$2`, … in a filter; it is handed to Postgres as text. */
export type ParameterValue = string | number | bigint | boolean;

/**
 * What is fixed of a request. Whatever is left out here, the client may choose; whatever it chooses, it sees no row and no column beyond
 * this, and finds out nothing about them. `{}` fixes nothing.
 */
export interface Grant {
  /** The table, in place of whichever the client names: `issues`, `"Order"`, `app.issues`. */
  readonly table?: string;
  /** The rows, in the language of `where`. A filter of the client's can leave out some of them, and may not have subqueries then. */
  readonly where?: string;
  /** Of `where`: the values of `$1`, `$2`, … in their order, or by number. The client's own parameters are told apart from them. */
  readonly params?: readonly ParameterValue[] | Readonly<Record<string, ParameterValue>>;
  /** Names of the columns that may be selected, and named in a filter; the primary key among them, and at least one. */
  readonly columns?: readonly string[];
}

/**
 * Decides about one request.
 *
 * @param request as it came. Its body may be read from a clone alone.
 * @returns what is fixed; `false` for `403`; or an answer of the program's own, which is sent as it is.
 */
export type Authorize = (request: WebRequest) => Grant | WebResponse | false | Promise<Grant | WebResponse | false>;

/** How a handler is made. */
export interface FetchHandlerOptions {
  /**
   * Asked about each `GET`, `HEAD`, `POST` and `DELETE`; other verbs read nothing. Left out, the secret of the service is asked for, as
   * over its own port.
   */
  readonly authorize?: Authorize;
}

/**
 * Answers a request for a shape, whatever its path, as the service's own port would: the same status, headers and body, streams
 * included. It ends with `request.signal`, or when its body is cancelled.
 *
 * @returns the answer once its headers are there, for a live request once there is news or the time is over. `503` while the service
 * stops or has stopped.
 * @throws {TypeError} by rejecting: the body has been read before, or is being read, and nothing was asked or answered. Where `authorize`
 * takes it, the answer is `500`.
 */
export type FetchHandler = (request: WebRequest) => Promise<WebResponse>;
