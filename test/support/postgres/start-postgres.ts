/**
 * A Postgres of a test's own, of the version that this run is about: npm's newest, or the one that `ARMATURE_TEST_POSTGRES` names
 * (`npm run test:versions`).
 */
import { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from '../../../src/demo/embedded-postgres.ts';
import { binariesOf, EMBEDDED } from './versions.ts';

/** One of `VERSIONS`. */
export const VERSION = process.env['ARMATURE_TEST_POSTGRES'] ?? EMBEDDED;

export function startPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ ...binariesOf(VERSION), ...options });
}
