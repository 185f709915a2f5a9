/** Bytes: a `bytea` as the text that Postgres writes with `bytea_output=hex`, whose order is that of the bytes. */
import { SPACE } from './white-space.ts';

const HEX = /^[0-9a-f]*$/i;
const ESCAPE = /\\(?:\\|[0-3][0-7]{2})/g;
const BACKSLASH = '\\';

/** @returns undefined when `text` is no bytea. */
export function parseBytes(text: string): string | undefined {
  if (text.startsWith('\\x')) {
    const runs = text.slice(2).split(new RegExp(SPACE));
    return runs.every((run) => HEX.test(run) && run.length % 2 === 0) ? `\\x${runs.join('').toLowerCase()}` : undefined;
  }
  const plain = text.split(ESCAPE);
  if (plain.some((part) => part.includes(BACKSLASH))) return undefined;
  const escapes = [...text.matchAll(ESCAPE)].map(([escape]) => byteOf(escape));
  const parts = plain.map((part, at) => hexOf(new TextEncoder().encode(part)) + hexOf(escapes.slice(at, at + 1)));
  return `\\x${parts.join('')}`;
}

function byteOf(escape: string): number {
  return escape === `${BACKSLASH}${BACKSLASH}` ? BACKSLASH.charCodeAt(0) : parseInt(escape.slice(1), 8);
}

function hexOf(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
