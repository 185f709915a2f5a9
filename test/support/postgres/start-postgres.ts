/** A Postgres of a test's own, of the version that this run is about. */
import { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from '../../../src/demo/embedded-postgres.ts';
import { binariesOf, majorOf, VERSION } from './versions.ts';

/** Of the server that tests share, and of each that `startPostgres` starts. What came later is tried by `test.runIf(MAJOR >= …)`. */
export const MAJOR = majorOf(VERSION);

export function startPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ ...binariesOf(VERSION), ...options });
}
