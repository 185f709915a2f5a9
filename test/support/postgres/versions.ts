/** Each Postgres at hand, as a server of a test's own: that of npm, and those that the system has. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../../../src/demo/embedded-postgres.ts';

const SYSTEM = ['14', '15', '16', '17'].filter((version) => existsSync(`/usr/lib/postgresql/${version}/bin/initdb`));

export const VERSIONS: readonly string[] = ['embedded', ...SYSTEM];

export interface VersionServer {
  /** The URL of its database `postgres`, as superuser. */
  readonly url: string;
  stop(): Promise<void>;
}

/** @param version one of `VERSIONS`. @param settings beyond those that Armature needs. */
export async function startVersion(version: string, settings: Readonly<Record<string, string>> = {}): Promise<VersionServer> {
  const directory = mkdtempSync(join(tmpdir(), 'armature-version-'));
  const server = await startEmbeddedPostgres({
    directory,
    settings: { fsync: 'off', ...settings },
    ...(version === 'embedded' ? {} : { binaries: binariesOf(version) }),
  });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function binariesOf(version: string) {
  const bin = `/usr/lib/postgresql/${version}/bin`;
  return { initdb: `${bin}/initdb`, postgres: `${bin}/postgres` };
}
