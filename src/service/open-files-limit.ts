/** How many files the system lets this process have open. Node takes all that it may when it begins (`ulimit -Hn`). */
import { existsSync, readFileSync } from 'node:fs';

const LINE = /^Max open files +(\d+|unlimited)/m;

/**
 * @param path where Linux tells of it.
 * @returns Infinity where there is no limit, and where nobody tells of one: on another system, or without that part of `/proc`.
 */
export function openFilesLimit(path = '/proc/self/limits'): number {
  return existsSync(path) ? limitIn(readFileSync(path, 'latin1')) : Infinity;
}

/** @param limits as Linux tells of them, a line for each. */
export function limitIn(limits: string): number {
  const told = Number(LINE.exec(limits)?.[1]);
  return Number.isNaN(told) ? Infinity : told;
}
