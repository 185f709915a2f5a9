/**
 * A built service whose time goes five times as fast, for tests of what it does when it has waited: all its waits are shorter and keep
 * their proportions, and what it waits for is real. Not for what it agrees with others in seconds, as with Postgres or another instance.
 */
import { fileURLToPath } from 'node:url';
import type { ServiceProcess } from './service-process.ts';

/** Whoever does not know it ignores it. */
const SIGNAL = 'SIGWINCH';

/** For its environment, from the start on: not the first one with a storage, which gives Postgres seconds to answer and is refused then. */
export const QUICK_TIME: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `--require ${JSON.stringify(fileURLToPath(new URL('quick-time.cjs', import.meta.url)))}`,
  QUICK_TIME: '5',
};

/** For its environment: from when it is told to `hurry`. */
export const QUICK_TIME_LATER: Readonly<Record<string, string>> = { ...QUICK_TIME, QUICK_TIME_FROM: SIGNAL };

/** Its time goes quickly from now on; what it waits for already takes as long as it would have. @param service one that works. */
export function hurry({ child }: Pick<ServiceProcess, 'child'>): void {
  child.kill(SIGNAL);
}
