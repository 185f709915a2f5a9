/**
 * The processes that tests and benchmarks have started and that have not ended. A test that fails before it stops its
 * service must not leave it behind: it would hold its slot, its port and a part of the machine until somebody finds it.
 *
 * A worker of vitest is ended by SIGTERM, at which Node emits no `exit`: so a listener of that event is not enough, and the
 * hooks in `end-of-processes.ts` do it. The listener is for programs that exit by themselves, as the benchmarks do.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** Enters `child` before anybody waits for it. */
export function enterProcess(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
}

export function runningProcesses(): ReadonlySet<ChildProcess> {
  return new Set(running);
}

/** Ends by force all that are not among `kept`; resolves when they have ended. */
export async function endProcessesBut(kept: ReadonlySet<ChildProcess>): Promise<void> {
  const left = [...running].filter((child) => !kept.has(child));
  await Promise.all(
    left.map(async (child) => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL'); // Also one that is held by SIGSTOP hears that.
      await exited;
    }),
  );
}
