/** A service whose heap can be looked into. */
import { freePort } from '../test/support/service/service-process.ts';
import { inspectProcess, type ProcessInspector } from './process-inspector.ts';
import type { Service } from './service.ts';
import type { World } from './suite/world.ts';

export interface InspectedService {
  readonly service: Service;
  readonly inspector: ProcessInspector;
}

export async function inspectedService(world: World): Promise<InspectedService> {
  const port = await freePort();
  const service = await world.service({ NODE_OPTIONS: `--inspect=127.0.0.1:${port}` });
  return { service, inspector: await inspectProcess(port) };
}
