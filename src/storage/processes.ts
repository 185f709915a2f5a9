/** Processes: who this process is, and whether another one still lives. The one place that asks the operating system. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { codeOf } from './errors.ts';

export interface ProcessMark {
  readonly host: string;
  readonly pid: number;
  /** When it started, in the kernel's own unit; empty where it cannot be told. A pid alone is given out again. */
  readonly start: string;
}

export interface Processes {
  readonly self: ProcessMark;
  isAlive(mark: ProcessMark): boolean;
}

export const systemProcesses: Processes = {
  get self() {
    return { host: hostname(), pid: process.pid, start: startOf(process.pid) ?? '' };
  },
  isAlive({ host, pid, start }) {
    if (host !== hostname() || !exists(pid)) return false; // A container that is made anew gets a new name.
    const found = startOf(pid);
    return found === undefined ? start === '' : found === start;
  },
};

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
    if (codeOf(error) === 'EPERM') return true;
    throw error;
  }
}

/** From Linux's /proc; undefined where there is none, and for a process that has ended and waits to be reaped. */
function startOf(pid: number): string | undefined {
  const fields = statOf(pid)?.split(' ');
  if (fields === undefined || fields[0] === 'Z') return undefined;
  return fields[19];
}

/** The fields behind the command's name, from the state on. */
function statOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return undefined;
    throw error;
  }
}
