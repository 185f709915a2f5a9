/** The secret that a request brings, compared in a time that tells nothing about it. */
import { bearsSecret, isSameSecret } from '../settings/secret.ts';
import type { Exchange } from './exchange.ts';

/** Undefined: everybody may ask, because the operator said so. */
export type Secret = string | undefined;

/** `byHeader`: the address alone does not tell who may see the answer, so a cache in front must not go by that alone. */
export type Access = 'open' | 'byQuery' | 'byHeader' | 'denied';

/**
 * The first that a request brings decides: `secret` of the query, `api_secret` there, which is the older name, or `Bearer` of the
 * header.
 */
export function accessOf(secret: Secret, exchange: Pick<Exchange, 'query' | 'request'>): Access {
  if (secret === undefined) return 'open';
  const { query, request } = exchange;
  const inQuery = query.get('secret') ?? query.get('api_secret') ?? undefined;
  if (inQuery !== undefined) return isSameSecret(inQuery, secret) ? 'byQuery' : 'denied';
  return bearsSecret(request.headers.authorization, secret) ? 'byHeader' : 'denied';
}
