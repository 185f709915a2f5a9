/**
 * The address of a database, as a user writes it: `postgresql://user:password@host:port/database?sslmode=require`.
 *
 * A password must never reach a log or a message: it lives in the target alone, which nobody prints. A password that was not
 * percent-encoded may be read as host or database, and these are told to everybody: so what looks like that is refused, unquoted.
 */
export type SslMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

export interface DatabaseTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly sslMode: SslMode;
  /**
   * The certificates, in PEM, one of which must have signed the server's where the mode verifies it; undefined for those that Node trusts.
   */
  readonly ca?: string;
}

/** What is wrong, for the user's eyes: one or two sentences that say what to do. */
export interface DatabaseProblem {
  readonly code: string;
  readonly message: string;
}

const SSL_MODES: readonly string[] = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];
const FORM = 'Write it as postgresql://user:password@host:5432/database.';
const ENCODE = 'If its user, password or database has one of @ : / ? # [ ] % in it, percent-encode it: %40 %3A %2F %3F %23 %5B %5D %25.';

/** @returns the target, or the caller's mistake. */
export function parseDatabaseUrl(text: string): DatabaseTarget | DatabaseProblem {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || endsTooEarly(url)) return bad('bad_url', `The database URL cannot be read as one. ${ENCODE} ${FORM}`);
  if (url.protocol !== 'postgresql:' && url.protocol !== 'postgres:') {
    return bad('bad_scheme', `The database URL begins with ${url.protocol}//, not with postgresql://. ${FORM}`);
  }
  const parts = decoded(url);
  if (parts === undefined) return bad('bad_url', 'The database URL has a broken percent-encoding: percent-encode a literal % as %25.');
  if (parts.host === '' || parts.user === '') return bad('bad_url', `The database URL names no host or no user. ${ENCODE} ${FORM}`);
  const sslMode = url.searchParams.get('sslmode') ?? 'prefer';
  if (!isSslMode(sslMode)) return bad('bad_sslmode', `The sslmode of the database URL is unknown; use ${SSL_MODES.join(', ')}.`);
  if (url.searchParams.has('replication')) {
    return bad('bad_option', 'The database URL sets the option "replication". Remove it: Armature sets it where it is needed.');
  }
  return { ...parts, port: url.port === '' ? 5432 : Number(url.port), sslMode };
}

/** The same, with a server that must show a certificate signed by one of `ca`; for its own host, unless the mode says otherwise. */
export function trusting(target: DatabaseTarget, ca: string): DatabaseTarget | DatabaseProblem {
  if (target.sslMode === 'disable') return bad('bad_sslmode', CA_WITHOUT_TLS);
  return { ...target, ca, sslMode: target.sslMode === 'verify-ca' ? 'verify-ca' : 'verify-full' };
}

export const CA_WITHOUT_TLS =
  'sslmode=disable encrypts nothing, so the CA certificate file would be of no use. Leave sslmode out, or the file.';

export function isProblem(value: object): value is DatabaseProblem {
  return 'code' in value && 'message' in value;
}

/** Its host was ended by a / ? or # of user or password: then the @ behind these stands in what follows. */
function endsTooEarly({ pathname, search, hash }: URL): boolean {
  return hash !== '' || `${pathname}${search}`.includes('@');
}

function decoded(url: URL): Pick<DatabaseTarget, 'host' | 'user' | 'password' | 'database'> | undefined {
  try {
    const user = decodeURIComponent(url.username);
    return {
      host: decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1'),
      user,
      password: url.password === '' ? undefined : decodeURIComponent(url.password),
      database: decodeURIComponent(url.pathname.slice(1)) || user,
    };
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function isSslMode(text: string): text is SslMode {
  return SSL_MODES.includes(text);
}

function bad(code: string, message: string): DatabaseProblem {
  return { code, message };
}
