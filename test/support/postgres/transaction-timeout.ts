/** The limit on the time of a transaction, where this run's Postgres has one. */
import { MAJOR } from './start-postgres.ts';

export const HAS_TRANSACTION_TIMEOUT = MAJOR >= 17;

/** Its name, for a list of limits. */
export const TRANSACTION_TIMEOUT: readonly string[] = HAS_TRANSACTION_TIMEOUT ? ['transaction_timeout'] : [];
