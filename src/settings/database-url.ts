/**
 * The address of a database, as a user writes it: `postgresql://user:password@host:port/database?sslmode=require`.
 *
 * A password must never reach a log or a message: it lives in the target alone, which nobody prints.
 */
export type SslMode = 'disable' | 'allow' | 'prefer' | 'require';

export interface DatabaseTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly sslMode: SslMode;
}

/** What is wrong, for the user's eyes: one or two sentences that say what to do. */
export interface DatabaseProblem {
  readonly code: string;
  readonly message: string;
}

const SSL_MODES: readonly string[] = ['disable', 'allow', 'prefer', 'require'];
const FORM = 'Write it as postgresql://user:password@host:5432/database.';

/** @returns the target, or the caller's mistake. */
export function parseDatabaseUrl(text: string): DatabaseTarget | DatabaseProblem {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return bad('bad_url', `The database URL is not a URL. ${FORM}`);
  if (url.protocol !== 'postgresql:' && url.protocol !== 'postgres:') {
    return bad('bad_scheme', `The database URL begins with ${url.protocol}//, not with postgresql://. ${FORM}`);
  }
  const parts = decoded(url);
  if (parts === undefined) return bad('bad_url', 'The database URL has a broken percent-encoding. Encode a literal % as %25.');
  if (parts.host === '' || parts.user === '') return bad('bad_url', `The database URL names no host or no user. ${FORM}`);
  const sslMode = url.searchParams.get('sslmode') ?? 'prefer';
  if (!isSslMode(sslMode)) return badSslMode(sslMode);
  if (url.searchParams.has('replication')) {
    return bad('bad_option', 'The database URL sets the option "replication". Remove it: Armature sets it where it is needed.');
  }
  return { ...parts, port: url.port === '' ? 5432 : Number(url.port), sslMode };
}

export function isProblem(value: object): value is DatabaseProblem {
  return 'code' in value && 'message' in value;
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

function badSslMode(text: string): DatabaseProblem {
  const why = text.startsWith('verify-')
    ? `sslmode=${text} is not supported; use sslmode=require, which encrypts without verifying the certificate.`
    : `sslmode=${text} is unknown; use disable, allow, prefer or require.`;
  return bad('bad_sslmode', why);
}

function bad(code: string, message: string): DatabaseProblem {
  return { code, message };
}
