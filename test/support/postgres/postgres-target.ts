/** The target behind a URL that a test knows to be good. */
import { invariant } from '../../../src/base/invariant.ts';
import { type DatabaseTarget, isProblem, parseDatabaseUrl } from '../../../src/settings/database-url.ts';

export function targetOf(url: string): DatabaseTarget {
  const target = parseDatabaseUrl(url);
  invariant(!isProblem(target), 'a test database has a good URL');
  return target;
}
