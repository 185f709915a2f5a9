/**
 * Authorize: a program's own word on each request for a shape, before anything of it is answered.
 *
 * In doubt nothing is shown. What is no answer that we know (nothing at all, a name with a slip in it, a value that is not there) is a
 * fault of the program: its client gets `500`, and the log says why.
 */
import * as z from 'zod';
import { BoundsError, type ShapeBounds } from '../../api/shape-bounds.ts';
import { text } from '../../api/shape-parameters.ts';
import { forbidden, within, type Gate } from '../gate.ts';
import type { Authorize } from './handler-types.ts';
import type { PeerResponse } from './web-peer.ts';
import type { WebRequest, WebResponse } from './web-types.ts';

const filled = text.refine((value) => value.trim() !== '', 'is blank');
const value = z.union([text, z.number().transform(String), z.bigint().transform(String), z.boolean().transform(String)]);
const grantFields = z
  .strictObject({
    table: filled.optional(),
    // Alone it would pass, and each filter of a client's beside it would be a mistake.
    where: filled.refine((where) => !where.trimEnd().endsWith(';'), 'ends in a semicolon').optional(),
    params: z.union([z.array(value).transform(byNumber), z.record(z.string(), value)]).optional(),
    columns: z.array(filled).min(1, 'has no column').optional(),
  })
  .refine(({ where, params }) => where !== undefined || params === undefined, 'params are given without where');

/** @param response where an answer of the program's own goes. */
export function authorizedGate(authorize: Authorize, request: WebRequest, response: PeerResponse): Gate {
  return async () => {
    const verdict: unknown = await authorize(request);
    if (verdict === false) return forbidden();
    if (!isResponse(verdict)) return within(readGrant(verdict));
    response.giveWay(verdict);
    return { kind: 'closed', answer: undefined };
  };
}

/** @throws {BoundsError} */
export function readGrant(verdict: unknown): ShapeBounds {
  if (isOther(verdict)) throw fault(`it gave an object of another kind: ${Object.prototype.toString.call(verdict)}`);
  const missing = isObject(verdict) ? Object.keys(verdict).find((name) => verdict[name] === undefined) : undefined;
  if (missing !== undefined) throw fault(`${missing} is undefined: leave it out where the client may choose`);
  const read = grantFields.safeParse(verdict);
  if (!read.success) throw fault(read.error.issues.map(({ path, message }) => [...path, message].join(' ')).join('; '));
  const { table, columns, where, params = {} } = read.data;
  return { table, columns, filter: where === undefined ? undefined : { text: where, params } };
}

function fault(why: string): BoundsError {
  return new BoundsError(`authorize must give false, a Response, or an object of table, where, params and columns: ${why}`);
}

function byNumber(values: readonly string[]): Record<string, string> {
  return Object.fromEntries(values.map((text, index) => [index + 1, text]));
}

/** Of whichever class: a framework may have one of its own. */
function isResponse(verdict: unknown): verdict is WebResponse {
  return isObject(verdict) && typeof verdict['status'] === 'number' && typeof verdict['arrayBuffer'] === 'function';
}

/** An error, a Map or a promise has no keys of its own, as `{}` has none: nobody meant by it that all may be read. */
function isOther(value: unknown): boolean {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== null && prototype !== Object.prototype;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
