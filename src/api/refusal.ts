/**
 * Refusal: an answer without rows, as a value: its status, the exact body that clients compare against, and what the
 * headers must tell. The one place that knows these texts.
 */
import type { Random } from '../base/random.ts';
import type { Handle } from '../model/shape.ts';

export interface Refusal {
  readonly kind: 'refusal';
  readonly status: 400 | 404 | 405 | 409 | 500 | 503;
  /** JSON. */
  readonly body: string;
  readonly cacheControl: string;
  /** The log that replaces the one asked for. */
  readonly handle?: Handle;
  readonly retryAfterSeconds?: number;
  /** An operator knows this condition: clients and monitors need not treat it as a fault of ours. */
  readonly isKnownError?: true;
  /** What it says is Postgres's word about some row, and may name what stands in it. */
  readonly isOfRow?: true;
}

/** Why the service cannot do what was asked yet, or at present. */
export interface Unreadiness {
  readonly message: string;
  /** Where it has a stable one. */
  readonly code?: string;
}

/** Texts by request parameter. */
export type FieldErrors = Readonly<Record<string, readonly string[]>>;

/** Texts by a subset's parameter; what Postgres says of a label stands alone. */
export type SubsetErrors = Readonly<Record<string, readonly string[] | string>>;

const NO_STORE = 'no-store';
const RETRY_SOON_SECONDS = 1;
const RETRY_NOT_READY_SECONDS = 5;
const RETRY_LATER_SECONDS = 10;
/** By code, what is over sooner than most. */
const SUBSET_RETRY_SECONDS = new Map([['shape_ahead', RETRY_SOON_SECONDS], ['subset_queries_busy', RETRY_NOT_READY_SECONDS]]);
/** Spread, so that the refused do not all return in the same second. */
const RETRY_OVERLOAD_SECONDS = { least: 6, most: 10 };

export function isRefusal(value: { readonly kind?: string } | object): value is Refusal {
  return 'kind' in value && value.kind === 'refusal';
}

export function invalidRequest(errors: FieldErrors): Refusal {
  return refuse(400, { message: 'Invalid request', errors });
}

export function invalidSubset(errors: SubsetErrors): Refusal {
  return refuse(400, { message: 'Invalid request', errors: { subset: errors } });
}

/** Its client has yet to read of rows that came or left: only behind that it can join what it asks for to what it holds. */
export function movedMeanwhile(): Refusal {
  const text = 'rows have come or left with what a subquery selects behind this offset: read the log up to its end, then ask again';
  return invalidRequest({ subset: [text] });
}

export function mismatchedHandle(): Refusal {
  const message =
    'The specified shape definition and handle do not match. Please ensure the shape definition is correct or omit ' +
    'the shape handle from the request to obtain a new one.';
  return refuse(400, { message });
}

export function noSuchShape(): Refusal {
  return refuse(404, { message: 'No existing shape found' });
}

/** To who wonders about a shape, and names none that there is. */
export function shapeGone(): Refusal {
  return refuse(404, { code: 'shape_gone', message: 'No shape has this handle: it has ended, or there never was one.' });
}

export function deletionDisabled(): Refusal {
  return refuse(405, { message: 'DELETE not allowed' });
}

/** The client's log is over: it starts again, with `handle` when there is a successor. */
export function mustRefetch(handle?: Handle): Refusal {
  return {
    ...refuse(409, [{ headers: { control: 'must-refetch' } }]),
    cacheControl: `public, max-age=${handle === undefined ? 1 : 60}, must-revalidate`,
    ...(handle === undefined ? {} : { handle }),
  };
}

export function notReady(why: Unreadiness): Refusal {
  return { ...refuse(503, why), retryAfterSeconds: RETRY_NOT_READY_SECONDS };
}

/** The service is not well: nobody knows whether there is anything new, so nobody may be told that there is not. */
export function becameUnready(why: Unreadiness): Refusal {
  return { ...refuse(503, { code: 'not_up_to_date', ...why }), retryAfterSeconds: RETRY_LATER_SECONDS };
}

/** The service ends, and another one is there, or soon will be. */
export function leaving(): Refusal {
  return { ...refuse(503, { message: 'The service is stopping. Please try again.' }), retryAfterSeconds: RETRY_SOON_SECONDS };
}

/** The shape has yet to take what others have taken: after a restart, or because of a large transaction. */
export function stillBehind(): Refusal {
  const message = 'This shape is still taking transactions that were committed before. Please try again later.';
  return { ...refuse(503, { message }), retryAfterSeconds: RETRY_SOON_SECONDS };
}

/** No row has come for long: it may be one that few rows pass, of a large table. */
export function slowSnapshot(): Refusal {
  const message = 'The first rows of this shape take long to come. Please try again later.';
  return { ...refuse(503, { message }), retryAfterSeconds: RETRY_LATER_SECONDS, isKnownError: true };
}

/** Another instance keeps the log, and does with it what it must. */
export function keptElsewhere(message: string): Refusal {
  return { ...refuse(503, { message }), retryAfterSeconds: RETRY_SOON_SECONDS, isKnownError: true };
}

export function databaseUnreachable(): Refusal {
  const message = 'Cannot connect to the database to verify the shape. Please try again later.';
  return { ...refuse(503, { message }), retryAfterSeconds: RETRY_SOON_SECONDS };
}

export function creationFailed(): Refusal {
  return { ...refuse(503, { message: 'Failed to create shape, please retry' }), retryAfterSeconds: RETRY_SOON_SECONDS };
}

/** Whoever reads a stored shape is served. */
export function storageFull(): Refusal {
  const message = 'The stored shapes are at their limit of size. Please try again later: shapes that nobody reads make room.';
  return { ...refuse(503, { code: 'storage_limit_reached', message }), retryAfterSeconds: RETRY_LATER_SECONDS, isKnownError: true };
}

export function snapshotFailed(message: string, code?: string): Refusal {
  return { ...refuse(503, { code, message }), retryAfterSeconds: RETRY_LATER_SECONDS, isKnownError: true };
}

/** The filter has an error in a row, as Postgres says it: the same request gets this answer until the row is another. */
export function filterFailed(code: string, message: string): Refusal {
  return { ...refuse(400, { code, message: 'Invalid request', errors: { where: [message] } }), isOfRow: true };
}

/** The same to a client that may not see each row. */
export function filterFailedUnseen(): Refusal {
  return invalidRequest({ where: ['has an error in a row'] });
}

export function snapshotCrashed(message: string): Refusal {
  return refuse(500, { message });
}

/** The rows of a subset could not be read now. */
export function subsetFailed(status: 500 | 503, code: string, message: string): Refusal {
  const refusal = refuse(status, { code, message });
  const retryAfterSeconds = SUBSET_RETRY_SECONDS.get(code) ?? RETRY_LATER_SECONDS;
  return status === 500 ? refusal : { ...refusal, retryAfterSeconds, isKnownError: true };
}

export function overloaded(admissionClass: string, limit: number, random: Random): Refusal {
  const message = `Concurrent ${admissionClass} request limit exceeded (limit: ${limit}), please retry`;
  const { least, most } = RETRY_OVERLOAD_SECONDS;
  return {
    ...refuse(503, { code: 'concurrent_request_limit_exceeded', message }),
    retryAfterSeconds: least + random.below(most - least + 1),
    isKnownError: true,
  };
}

function refuse(status: Refusal['status'], body: unknown): Refusal {
  return { kind: 'refusal', status, body: JSON.stringify(body), cacheControl: NO_STORE };
}
