/** A Postgres that lets its superuser and the role `either` in as ever, and everybody else over TLS alone. */
import { appendFileSync, chmodSync, chownSync, copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { EmbeddedPostgres } from '../../../src/demo/embedded-postgres.ts';
import { startPostgres } from '../postgres/start-postgres.ts';
import type { SignedServer } from './certificates.ts';

/** @param directory for its cluster. */
export async function startTlsServer(directory: string, signed: SignedServer): Promise<EmbeddedPostgres> {
  const server = await startPostgres({ directory, settings: { fsync: 'off' } });
  letInOverTls(join(directory, 'data', 'pg_hba.conf'));
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query('ALTER SYSTEM SET ssl = on');
  await exchangeCertificate(directory, client, signed);
  await client.end();
  return server;
}

/** For connections that come from now on. */
export async function exchangeCertificate(directory: string, superuser: pg.Client, { certificate, key }: SignedServer): Promise<void> {
  giveTo(join(directory, 'data'), certificate, 'server.crt');
  giveTo(join(directory, 'data'), key, 'server.key');
  await superuser.query('SELECT pg_reload_conf()');
}

/** Postgres takes a key that is its own and nobody else's. */
function giveTo(data: string, file: string, name: string): void {
  const { uid, gid } = statSync(data);
  copyFileSync(file, join(data, name));
  chownSync(join(data, name), uid, gid);
  chmodSync(join(data, name), 0o600);
}

function letInOverTls(file: string): void {
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, 'host all postgres,either all scram-sha-256\nhostssl all all all scram-sha-256\nhostnossl all all all reject\n');
  appendFileSync(file, before);
}
