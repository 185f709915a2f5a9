/**
 * ShapeResponse: what a request for a shape gets, without HTTP's own words: what the electric headers tell, how long
 * the answer may be kept, and its body in pieces.
 */
import type { LogOffset } from '../model/log-offset.ts';
import type { Handle } from '../model/shape.ts';
import type { Refusal } from './refusal.ts';

export type ShapeResponse = LogAnswer | SubsetAnswer | Deleted | Refusal | Abandoned;

export interface LogAnswer {
  readonly kind: 'log';
  /** 304: the client holds these bytes already; there is no body. */
  readonly status: 200 | 304;
  readonly form: 'json' | 'eventStream';
  readonly handle: Handle;
  /** Behind the last line of the body. */
  readonly offset: LogOffset;
  readonly upToDate: boolean;
  /** False for a long-poll that timed out and for `now`. */
  readonly hasData: boolean;
  /** Quotes included. */
  readonly etag: string;
  /** As for a GET. */
  readonly cacheControl: string;
  /** JSON; absent on live answers, as the wire has it. */
  readonly schema?: string;
  /** On live answers. */
  readonly cursor?: string;
  readonly body: Body | LiveBody;
}

export interface SubsetAnswer {
  readonly kind: 'subset';
  readonly status: 200;
  readonly handle: Handle;
  /** From where its client follows the log. */
  readonly offset: LogOffset;
  /** JSON; absent on live answers. */
  readonly schema?: string;
  readonly body: Body;
}

/** A stream is read once, from its first piece on; a failure ends it with a throw. */
export type Body = readonly Uint8Array[] | AsyncIterable<Uint8Array>;

/** What comes as it happens, for as long as its client stays. It is given to its client, not asked for. */
export interface LiveBody {
  /** @param over called once, when it ends: in good order, or by a failure, which breaks the connection off. */
  flow(sink: Sink, over: (failure?: Failure) => void): void;
}

export interface Failure {
  readonly error: unknown;
}

/** One client, as it is seen by whoever writes to it. */
export interface Sink {
  /** Of what was written, bytes that the client has yet to take. */
  readonly heldBytes: number;
  /** The client has gone: what is written now nobody gets. */
  readonly isClosed: boolean;
  /** @returns false when the client should be waited for before there is more. */
  write(bytes: Uint8Array): boolean;
  /** Resolves when the client has taken all that was written, and when it has gone. */
  drained(): Promise<void>;
  /** Ends the connection where it is. */
  cut(): void;
}

export function isLive(body: Body | LiveBody): body is LiveBody {
  return 'flow' in body;
}

/** False for a stream. */
export function isInMemory<Part>(parts: readonly Part[] | AsyncIterable<Part>): parts is readonly Part[] {
  return Array.isArray(parts);
}

export interface Deleted {
  readonly kind: 'deleted';
  readonly status: 202;
}

/** The client went while it waited: nobody reads an answer. */
export interface Abandoned {
  readonly kind: 'abandoned';
}

export const ABANDONED: Abandoned = { kind: 'abandoned' };
