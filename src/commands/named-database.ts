/** The database that a command is pointed at, by the settings of the service that follows it. */
import { invariant } from '../base/invariant.ts';
import { caCertificates } from '../settings/ca-certificates.ts';
import { isProblem, parseDatabaseUrl, trusting, type DatabaseProblem, type DatabaseTarget } from '../settings/database-url.ts';
import { nodeDisk } from '../storage/disk/disk.ts';
import { wholeText } from '../storage/disk/whole-text.ts';

export const NO_DATABASE = 'No database is named. Set DATABASE_URL (or --database-url) to postgresql://user:password@host:5432/database.';

/** @param url as a setting that was read. @param caFile of certificates that its database must prove to be trusted by, if any. */
export async function targetOf(url: string, caFile: string | undefined): Promise<DatabaseTarget | DatabaseProblem> {
  const target = parseDatabaseUrl(url);
  invariant(!isProblem(target), 'the type of the setting has read it');
  if (caFile === undefined) return target;
  const ca = await caCertificates(caFile, (path) => wholeText(nodeDisk, path));
  return typeof ca === 'string' ? trusting(target, ca) : ca;
}
