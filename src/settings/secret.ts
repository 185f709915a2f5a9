/** Whether who asks brings the secret: compared in a time that tells nothing about it. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** Digests have one length, which `timingSafeEqual` demands. */
export function isSameSecret(given: string, secret: string): boolean {
  return timingSafeEqual(digest(given), digest(secret));
}

/**
 * A header has bytes: some clients take a text for Latin-1, as Node does, and most for UTF-8.
 *
 * @param header the value of `Authorization`.
 */
export function bearsSecret(header: string | undefined, secret: string): boolean {
  const given = /^Bearer +(.+)$/i.exec(header ?? '')?.[1] ?? '';
  return [given, Buffer.from(given, 'latin1').toString()].map((text) => isSameSecret(text, secret)).includes(true);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
