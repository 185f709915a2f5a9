/**
 * One Postgres for a whole test run, started when the first test asks for it: runs that need none do not pay.
 * Test files are told the port of a small loopback server, which answers a connection with the database's URL.
 */
import { createServer, type AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import type { EmbeddedPostgres } from '../../../src/demo/embedded-postgres.ts';
import { clusterDirectory, removeClusters } from './cluster-directory.ts';
import { startPostgres } from './start-postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgresDoor: number;
  }
}

const SETTINGS = {
  fsync: 'off', // The machine will not lose power for a test.
  full_page_writes: 'off',
  max_connections: '300',
  max_replication_slots: '100',
  max_wal_senders: '100',
  autovacuum: 'off',
};

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let server: Promise<EmbeddedPostgres> | undefined;
  const door = createServer((socket) => {
    server ??= startPostgres({ directory: clusterDirectory(), settings: SETTINGS });
    server.then(
      ({ url }) => socket.end(url),
      (error: unknown) => socket.end(`error: ${String(error)}`),
    );
  });
  await new Promise<void>((done) => door.listen(0, '127.0.0.1', done));
  project.provide('postgresDoor', (door.address() as AddressInfo).port);
  return async () => {
    door.close();
    if (server !== undefined) await (await server).stop();
    removeClusters();
  };
}
