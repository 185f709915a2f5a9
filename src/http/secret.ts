/** The secret that a request brings, compared in a time that tells nothing about it. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** Undefined: everybody may ask, because the operator said so. */
export type Secret = string | undefined;

/** `byHeader`: the address alone does not tell who may see the answer, so a cache in front must not go by that alone. */
export type Access = 'open' | 'byQuery' | 'byHeader' | 'denied';

/**
 * The first that a request brings decides: `secret` of the query, `api_secret` there, which is the older name, or `Bearer` of the
 * header.
 *
 * @param header the value of `Authorization`.
 */
export function accessOf(secret: Secret, query: URLSearchParams, header: string | undefined): Access {
  if (secret === undefined) return 'open';
  const inQuery = query.get('secret') ?? query.get('api_secret') ?? undefined;
  if (inQuery !== undefined) return isSame(inQuery, secret) ? 'byQuery' : 'denied';
  const inHeader = bearer(header) ?? '';
  // A header has bytes: some clients take a text for Latin-1, as Node does, and most for UTF-8.
  const isEither = [isSame(inHeader, secret), isSame(Buffer.from(inHeader, 'latin1').toString(), secret)].includes(true);
  return isEither ? 'byHeader' : 'denied';
}

function bearer(header: string | undefined): string | undefined {
  return /^Bearer +(.+)$/i.exec(header ?? '')?.[1];
}

/** Digests have one length, which `timingSafeEqual` demands. */
function isSame(left: string, right: string): boolean {
  return timingSafeEqual(digest(left), digest(right));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
