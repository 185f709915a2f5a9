/**
 * storage: one_for_one, because each of its processes owns nothing but its own work: what they work on belongs to the
 * roof, and a log that refuses to sync makes its writer fail again until the service gives up.
 */
import { chunkBuilder } from '../actors/chunk-builder.ts';
import type { SupervisorSpec } from '../otp/child-spec.ts';
import type { Rooms } from './rooms.ts';

export function storage({ ports, checkpointEveryMs }: Rooms): SupervisorSpec {
  return {
    strategy: 'one_for_one',
    children: [
      { id: 'log-writer', start: ports.logWriter },
      { id: 'log-reader', start: ports.logReader },
      { id: 'shape-reader', start: ports.shapeReader },
      { id: 'checkpoints', start: ports.checkpoints },
      { id: 'chunk-builder', start: () => ({ machine: chunkBuilder, input: { everyMs: checkpointEveryMs }, name: '@chunk-builder' }) },
    ],
  };
}
