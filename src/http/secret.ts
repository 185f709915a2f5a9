/** The secret in a request's query, compared in a time that tells nothing about it. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** Undefined: everybody may ask, because the operator said so. */
export type Secret = string | undefined;

/** `api_secret` is the older name, read only when `secret` is absent. */
export function isAuthorized(secret: Secret, query: URLSearchParams): boolean {
  if (secret === undefined) return true;
  return isSame(query.get('secret') ?? query.get('api_secret') ?? '', secret);
}

/** Digests have one length, which `timingSafeEqual` demands. */
function isSame(left: string, right: string): boolean {
  return timingSafeEqual(digest(left), digest(right));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
