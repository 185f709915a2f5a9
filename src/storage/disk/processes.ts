/** Processes: who this process is, and whether another one still lives. The one place that asks the operating system. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { codeOf } from '../errors.ts';

export interface ProcessMark {
  readonly host: string;
  readonly pid: number;
  /** When it started, in the kernel's own unit; empty where it cannot be told. A pid alone is given out again. */
  readonly start: string;
  /** Where its pid means something: which boot of which kernel, and there which namespace. Empty or left out where it cannot be told. */
  readonly place?: string;
}

export interface Processes {
  readonly self: ProcessMark;
  /**
   * Undefined when it cannot be told from here: the process is, or was, on another machine, in another container, or before this machine
   * was started; or its pid may have been given to another one.
   */
  isAlive(mark: ProcessMark): boolean | undefined;
}

export const systemProcesses: Processes = {
  get self() {
    const start = startOf(process.pid);
    return { host: hostname(), pid: process.pid, start: start === ENDED ? '' : (start ?? ''), place: placeOfOurs() };
  },
  isAlive(mark) {
    if (!isHere(mark)) return undefined;
    if (!exists(mark.pid)) return false;
    const found = startOf(mark.pid);
    if (found === ENDED) return false;
    return found === undefined || mark.start === '' ? undefined : found === mark.start;
  },
};

/** Of a process that has ended and waits to be reaped. */
const ENDED = Symbol('ended');

/** Names are given by people, to two containers alike: they count only where nothing better is known. */
function isHere({ host, place = '' }: ProcessMark): boolean {
  const ours = placeOfOurs();
  return place === '' || ours === '' ? host === hostname() : place === ours;
}

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

/** From Linux's /proc; empty where there is none. */
function placeOfOurs(): string {
  const boot = unlessMissing(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim());
  const namespace = unlessMissing(() => readlinkSync('/proc/self/ns/pid'));
  return boot === undefined || namespace === undefined ? '' : `${boot}/${namespace.replace(/\D/g, '')}`;
}

/** Likewise; undefined where there is none. */
function startOf(pid: number): string | typeof ENDED | undefined {
  const stat = unlessMissing(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // Behind the command's name, from the state on.
  return fields[0] === 'Z' ? ENDED : fields[19];
}

function unlessMissing(read: () => string): string | undefined {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'ENOTDIR'].includes(codeOf(error))) return undefined;
    throw error;
  }
}
