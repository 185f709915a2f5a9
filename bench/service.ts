/** The built service as a child of the benchmark: what it uses is its own, and is counted as such. */
import { invariant } from '../src/base/invariant.ts';
import { freePort, startServiceProcess } from '../test/support/service/service-process.ts';
import { inspectProcess, type ProcessInspector } from './process-inspector.ts';
import { type ProcessUsage, usageOf } from './process-usage.ts';
import { QUIET_MS } from './timing.ts';

export interface Service {
  /** Without a trailing slash. */
  readonly url: string;
  usage(): ProcessUsage;
  /** How long it has nothing to do before it counts as at rest. */
  readonly quietMs: number;
  /** Ends the shape, where the service lets clients do so: the next one who asks gets a new one. */
  forget(params: Readonly<Record<string, string>>): Promise<void>;
  /** Its inspector, from now on: of one that is measured otherwise it is not there. */
  inspect(): Promise<ProcessInspector>;
  /** Stops the process where it is, as if the machine had no time for it; `resume` lets it go on. */
  hold(): void;
  resume(): void;
  stop(): Promise<void>;
}

export async function startService(
  databaseUrl: string,
  storageDirectory: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Service> {
  const inspectorPort = await freePort();
  const { url, child, stop } = await startServiceProcess({
    databaseUrl,
    storageDirectory,
    environment: { ARMATURE_LOG_LEVEL: 'warn', NODE_OPTIONS: `--inspect-port=127.0.0.1:${inspectorPort}`, ...environment },
  });
  const { pid } = child;
  invariant(pid !== undefined, 'a service that answers has a process');
  const resume = (): void => void child.kill('SIGCONT');
  return {
    url,
    usage: () => usageOf(pid),
    quietMs: QUIET_MS,
    async forget(params) {
      const { status } = await fetch(`${url}/v1/shape?${new URLSearchParams(params).toString()}`, { method: 'DELETE' });
      invariant(status === 202, `a shape that is there can be ended: ${status}`);
    },
    inspect: async () => {
      child.kill('SIGUSR1');
      return await inspectProcess(inspectorPort);
    },
    hold: () => void child.kill('SIGSTOP'),
    resume,
    stop: async () => {
      resume(); // A held process would never hear that it should stop.
      await stop();
    },
  };
}
