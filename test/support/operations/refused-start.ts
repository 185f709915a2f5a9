/** The built service where it does not start: what it says, and how it ends. */
import { once } from 'node:events';
import { type ServiceOptions, spawnService } from '../service/service-process.ts';

export interface RefusedStart {
  /** Null when it was killed. */
  readonly exitCode: number | null;
  readonly output: string;
}

/** Resolves when it has ended by itself. */
export async function refusedStart(options: ServiceOptions): Promise<RefusedStart> {
  const service = await spawnService(options);
  if (service.child.exitCode === null) await once(service.child, 'exit');
  return { exitCode: service.child.exitCode, output: service.output() };
}
