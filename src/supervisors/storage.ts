/**
 * storage: one_for_one, because its processes own only their work: the logs belong to the service and outlive them. What the disk
 * refuses waits until it is tried again; so who tries it starts first and stops last. A log that fails for good makes its writer fail
 * again, until the service gives up.
 */
import { diskMonitor } from '../actors/disk-monitor.ts';
import { checkpointer } from '../actors/checkpointer.ts';
import type { SupervisorSpec } from '../otp/supervision/child-spec.ts';
import type { StackWiring } from './stack-wiring.ts';

export function storage({ ports, checkpointEveryMs }: StackWiring): SupervisorSpec {
  return {
    strategy: 'one_for_one',
    children: [
      { id: 'disk', start: ports.disk },
      { id: 'disk-monitor', start: () => ({ machine: diskMonitor, name: '@disk-monitor' }) },
      { id: 'log-writer', start: ports.logWriter },
      { id: 'log-reader', start: ports.logReader },
      { id: 'shape-reader', start: ports.shapeReader },
      { id: 'checkpoints', start: ports.checkpoints },
      { id: 'splices', start: ports.splices },
      { id: 'checkpointer', start: () => ({ machine: checkpointer, input: { everyMs: checkpointEveryMs }, name: '@checkpointer' }) },
    ],
  };
}
