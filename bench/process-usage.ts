/** What another process of ours has used so far, as the kernel counts it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

export interface ProcessUsage {
  /** User and system time, all threads; in steps of a clock tick, mostly 10 ms. */
  readonly cpuMicros: number;
  /** Undefined where the kernel does not tell, as the next. */
  readonly peakMemoryBytes: number | undefined;
  /** Of now. */
  readonly residentBytes: number | undefined;
}

export function usageOf(pid: number): ProcessUsage {
  return existsSync(`/proc/${pid}/stat`) ? usageFromProc(pid) : usageFromPs(pid);
}

function usageFromProc(pid: number): ProcessUsage {
  // The second field is the command in parentheses, and may hold anything: count from behind it.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  const ticks = Number(fields[11]) + Number(fields[12]);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const cpuMicros = (ticks / ticksPerSecond) * 1e6;
  return { cpuMicros, peakMemoryBytes: bytesIn(status, 'VmHWM'), residentBytes: bytesIn(status, 'VmRSS') };
}

function bytesIn(status: string, field: string): number | undefined {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

function usageFromPs(pid: number): ProcessUsage {
  const time = execFileSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  const seconds = time.split(/[:-]/).reduce((sum, part) => sum * 60 + Number(part), 0);
  return { cpuMicros: seconds * 1e6, peakMemoryBytes: undefined, residentBytes: undefined };
}
