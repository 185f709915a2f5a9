/** How many files the system lets this process have open. Node takes all that it may when it begins (`ulimit -Hn`). */
import { readFileSync } from 'node:fs';

const LINE = /^Max open files +(\d+|unlimited)/m;

/** @returns Infinity where there is no limit, and where nobody tells of one: on another system than Linux. */
export function openFilesLimit(platform: string = process.platform): number {
  return platform === 'linux' ? limitIn(readFileSync('/proc/self/limits', 'latin1')) : Infinity;
}

/** @param limits as Linux tells of them, a line for each. */
export function limitIn(limits: string): number {
  const told = Number(LINE.exec(limits)?.[1]);
  return Number.isNaN(told) ? Infinity : told;
}
