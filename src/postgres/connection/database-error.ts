/**
 * What the world may say instead of an answer: the database is away, or it refuses. Anything else is a bug of ours
 * and goes on as it is, to crash the process that met it.
 */
import pg from 'pg';

/** There is no connection, or it broke: what was under way may or may not have happened. Trying again may help. */
export class DatabaseUnreachableError extends Error {
  override readonly name = 'DatabaseUnreachableError';
  readonly code: string = 'database_unreachable';
}

/** Whoever answers does not prove to be the database: nothing of ours was sent there. It takes an operator to mend that. */
export class CertificateRefusedError extends DatabaseUnreachableError {
  override readonly code = 'certificate_refused';
}

/** Postgres answered with an error: the statement had no effect. */
export class DatabaseRefusedError extends Error {
  override readonly name = 'DatabaseRefusedError';

  /** @param code the SQLSTATE. */
  constructor(
    readonly code: string,
    message: string,
    readonly detail?: string,
  ) {
    super(message);
  }
}

/** Postgres let no session come about, so nothing was asked of it: whoever had a question is not the one who was refused. */
export class SessionRefusedError extends DatabaseUnreachableError {
  override readonly code: string;

  constructor(refusal: DatabaseRefusedError) {
    super(refusal.message, { cause: refusal });
    this.code = refusal.code;
  }
}

/** A role or a database that is not there, not let in, or without a right. */
const LASTING_STATE = /^(?:28...|3D000|42501)$/;

/** Asking again does not help before somebody has mended it. */
export function isLasting(error: WorldError): boolean {
  return error instanceof CertificateRefusedError || LASTING_STATE.test(error.code);
}

/** Postgres answered, or a pooler before it: whatever it says, there is somebody. */
export function isAnswer(error: WorldError): boolean {
  return error instanceof DatabaseRefusedError || error.cause instanceof pg.DatabaseError;
}

/** Postgres itself says that it starts, stops, or has no room for another connection. */
export function isPassing({ cause }: WorldError): boolean {
  return cause instanceof pg.DatabaseError && PASSING_STATE.test(cause.code ?? '');
}

export type WorldError = DatabaseUnreachableError | DatabaseRefusedError;

/**
 * Errors of sockets, of name resolution and of TLS, by their code. Each is named: who borrows a connection writes files meanwhile, and
 * a disk that is full (ENOSPC) or broken (EIO) must not read as a database that is away, for which everybody waits.
 */
const NETWORK_CODE = new RegExp(
  '^(?:ECONN(?:REFUSED|RESET|ABORTED)|ENET(?:DOWN|RESET|UNREACH)|EHOST(?:DOWN|UNREACH)|EADDR(?:INUSE|NOTAVAIL)|' +
    'EPIPE|ETIMEDOUT|ENOTCONN|ENOTFOUND|ENOBUFS|EPROTO|ECANCELED|EAI_[A-Z]+|ERR_SSL_\\w+|ERR_TLS_\\w+|ERR_STREAM_\\w+)$',
);
/** What OpenSSL has against a certificate, as Node names it, and Node itself against its host. */
const CERTIFICATE_CODE = new RegExp(
  '^(?:CERT_\\w+|UNABLE_TO_\\w+|(?:DEPTH_ZERO_)?SELF_SIGNED_CERT\\w*|INVALID_(?:CA|PURPOSE)|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|' +
    'ERR_TLS_CERT_ALTNAME_\\w+)$',
);
/** Node has no name for most of what OpenSSL may find, as that a key is too weak; for a few it has one that others might have, too. */
const OTHER_CERTIFICATE_CODE = /^(?:UNSPECIFIED|ERROR_IN_CERT_\w+|CRL_\w+)$/;
/** What files never do; a socket that is a file may then have any code of a file, ENOENT among them. */
const NETWORK_CALLS = new Set(['connect', 'getaddrinfo']);
const PASSING_STATE = /^(?:53300|57P0[1-5])$/;
/** Connection exceptions, too many connections, the server shuts down or starts. */
const AWAY_STATE = /^(?:08...|53300|57P0[1-5])$/;
/** What `pg` says of its own, without a code. */
const AWAY_TEXTS = [
  'Connection terminated', 'timeout expired', 'timeout exceeded', 'Client has encountered a connection error', 'Client was closed',
  'Query read timeout', 'The server does not support SSL', 'There was an error establishing an SSL',
];

/** @returns undefined when `error` is not the world's doing. */
export function worldError(error: unknown): WorldError | undefined {
  if (error instanceof DatabaseUnreachableError || error instanceof DatabaseRefusedError) return error;
  if (!(error instanceof Error)) return undefined;
  if (error instanceof AggregateError && error.errors.length > 0) return worldError(error.errors[0]);
  const code = codeOf(error);
  if (error instanceof pg.DatabaseError) return refusal(error, code);
  if (CERTIFICATE_CODE.test(code)) return new CertificateRefusedError(error.message, { cause: error });
  const isAway = NETWORK_CODE.test(code) || isNetworkCall(error) || AWAY_TEXTS.some((text) => error.message.startsWith(text));
  return isAway ? unreachable(error) : undefined;
}

/** Whatever fails while connecting is the world's doing: wrong password, no such database, no server. */
export function connectError(error: unknown): WorldError {
  const known = worldError(error);
  if (known !== undefined) return known;
  const message = error instanceof Error ? error.message : String(error);
  return OTHER_CERTIFICATE_CODE.test(codeOf(error))
    ? new CertificateRefusedError(message, { cause: error })
    : new DatabaseUnreachableError(message, { cause: error });
}

/** Runs `action`; an error of the world leaves it typed, any other as it is. */
export async function typed<Result>(action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    throw worldError(error) ?? error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function isNetworkCall(error: Error): boolean {
  return 'syscall' in error && typeof error.syscall === 'string' && NETWORK_CALLS.has(error.syscall);
}

function refusal(error: pg.DatabaseError, code: string): WorldError {
  return AWAY_STATE.test(code) ? unreachable(error) : new DatabaseRefusedError(code, error.message, error.detail);
}

function unreachable(error: Error): DatabaseUnreachableError {
  return new DatabaseUnreachableError(error.message, { cause: error });
}
