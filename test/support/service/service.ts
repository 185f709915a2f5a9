/** The whole service in this process, as `main` wires it, so that a test reaches its processes and its disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { invariant } from '../../../src/base/invariant.ts';
import { readConfiguration, type Command } from '../../../src/settings/configuration.ts';
import { startService, type Service } from '../../../src/service/service.ts';
import { systemWorld, type World } from '../../../src/service/world.ts';
import { streamIdOf } from '../postgres/postgres.ts';
import { enterService, leaveService } from './running-services.ts';
import { START_WITHIN_MS } from './service-process.ts';

export interface ServiceInProcess extends Service {
  readonly shapeUrl: string;
  /** Stops it and removes its storage. */
  remove(): Promise<void>;
}

export interface InProcessOptions {
  readonly databaseUrl: string;
  readonly flags?: Readonly<Record<string, string | true>>;
  readonly world?: Partial<World>;
  /** Default `start`. */
  readonly command?: Command;
  /** Not to be waited for until it is active. */
  readonly mayWait?: boolean;
}

/** Resolves when the service is active, or listens, if it `mayWait`. */
export async function startServiceInProcess(options: InProcessOptions): Promise<ServiceInProcess> {
  const { databaseUrl, flags, world, mayWait, command = 'start' } = options;
  const directory = mkdtempSync(join(tmpdir(), 'armature-service-'));
  const read = readConfiguration(
    command,
    {
      'database-url': databaseUrl,
      'replication-stream-id': streamIdOf(databaseUrl),
      'storage-dir': directory,
      insecure: true,
      host: '127.0.0.1',
      port: '0',
      'log-level': 'silent',
      ...flags,
    },
    {},
  );
  invariant('configuration' in read, 'the flags of a test are good');
  const service = await startService(read.configuration, { ...systemWorld, ...world });
  const inProcess = {
    ...service,
    shapeUrl: `${service.url}/v1/shape`,
    async stop() {
      leaveService(inProcess);
      await service.stop();
    },
    async remove() {
      await inProcess.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  enterService(inProcess); // Before it is waited for.
  if (mayWait !== true) await activeAgain(service);
  return inProcess;
}

/** Resolves when the service is active: at once where it is. */
export async function activeAgain({ runtime }: Pick<Service, 'runtime'>): Promise<void> {
  await runtime.call('@status-monitor', { type: 'awaitActive' }, START_WITHIN_MS);
}
