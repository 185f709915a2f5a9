/** Each Postgres at hand: that of npm, those that the system has, and those of `test/versions`, where they are installed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binariesIn, type EmbeddedBinaries } from '../../../src/demo/embedded-binaries.ts';
import { startEmbeddedPostgres } from '../../../src/demo/embedded-postgres.ts';
import { clusterDirectory } from './cluster-directory.ts';

/** The one that npm installs with Armature. */
export const EMBEDDED = 'embedded';
const EMBEDDED_MAJOR = 18;

/** What is supported besides. */
export const OLDER: readonly string[] = ['14', '15', '16', '17'];

const AT_HAND: readonly string[] = [EMBEDDED, ...OLDER.filter((version) => isInSystem(version) || isOfNpm(version))];

/** The one that this run is about: npm's newest, or the one that `ARMATURE_TEST_POSTGRES` names (`npm run test:versions`). */
export const VERSION = process.env['ARMATURE_TEST_POSTGRES'] ?? EMBEDDED;

/** What a test is tried on that is tried on each version: all that are at hand, or in a run about an older one that one alone. */
export const VERSIONS: readonly string[] = VERSION === EMBEDDED ? AT_HAND : [VERSION];

export interface VersionServer {
  /** The URL of its database `postgres`, as superuser. */
  readonly url: string;
  stop(): Promise<void>;
}

/** As in `server_version_num`, without what follows it. */
export function majorOf(version: string): number {
  return version === EMBEDDED ? EMBEDDED_MAJOR : Number(version);
}

/** @param version one of `VERSIONS`. @param settings beyond those that Armature needs. */
export async function startVersion(version: string, settings: Readonly<Record<string, string>> = {}): Promise<VersionServer> {
  const options = { directory: clusterDirectory(), settings: { fsync: 'off', ...settings }, ...binariesOf(version) };
  const server = await startEmbeddedPostgres(options);
  return { url: server.url, stop: () => server.stop() };
}

/** @throws {Error} it is not at hand. */
export function binariesOf(version: string): { readonly binaries?: EmbeddedBinaries } {
  if (version === EMBEDDED) return {};
  if (isOfNpm(version)) return { binaries: binariesIn(packageOf(version)) };
  if (isInSystem(version)) return { binaries: { initdb: `${systemBin(version)}/initdb`, postgres: `${systemBin(version)}/postgres` } };
  throw new Error(`There is no Postgres ${version} here. Those at hand: ${AT_HAND.join(', ')}; npm run test:versions installs more.`);
}

function isInSystem(version: string): boolean {
  return existsSync(`${systemBin(version)}/initdb`);
}

function isOfNpm(version: string): boolean {
  return existsSync(join(packageOf(version), 'native/bin/initdb'));
}

function systemBin(version: string): string {
  return `/usr/lib/postgresql/${version}/bin`;
}

function packageOf(version: string): string {
  return fileURLToPath(new URL(`../../versions/node_modules/postgres-${version}`, import.meta.url));
}
