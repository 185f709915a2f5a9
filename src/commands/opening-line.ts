/**
 * OpeningLine: what a person at a terminal reads first of a service, before the lines of its log: where it will be, and how to end it.
 * It is told before anything is tried, so it promises no more than that; the log says when the service listens.
 */
import type { Configuration } from '../settings/configuration.ts';

/** Addresses that stand for all of a machine, by one of them that a browser can go to. */
const OF_ALL: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** @returns a sentence with the end of its line. It names no place where the system chooses the port. */
export function openingLine({ host, port }: Pick<Configuration, 'host' | 'port'>): string {
  const address = OF_ALL[host] ?? host;
  const place = port === 0 ? '' : ` at http://${address.includes(':') ? `[${address}]` : address}:${port}/v1/shape`;
  return `Armature is starting, to serve shapes${place}; Ctrl-C stops it\n`;
}
