/** The database that a command is pointed at, by the settings of the service that follows it. */
import { invariant } from '../base/invariant.ts';
import { isProblem, parseDatabaseUrl, type DatabaseTarget } from '../settings/database-url.ts';

export const NO_DATABASE = 'No database is named. Set DATABASE_URL (or --database-url) to postgresql://user:password@host:5432/database.';

/** @param url as a setting that was read. */
export function targetOf(url: string): DatabaseTarget {
  const target = parseDatabaseUrl(url);
  invariant(!isProblem(target), 'the type of the setting has read it');
  return target;
}
