import { once } from 'node:events';
import { connect, type NetConnectOpts } from 'node:net';
import { expect, test } from 'vitest';
import { connectError, worldError } from '../../../src/postgres/connection/database-error.ts';
import { DiskError } from '../../../src/storage/errors.ts';

function failing(code: string): Error {
  return Object.assign(new Error(code), { code });
}

test.each<[string, NetConnectOpts]>([
  ['a port where nobody listens', { host: '127.0.0.1', port: 1 }],
  ['a socket that is not there', { path: '/nowhere/.s.PGSQL.5432' }],
  ['a socket below a file', { path: '/dev/null/.s.PGSQL.5432' }],
])('%s is the database being away', async (_, options) => {
  const [error] = await once(connect(options), 'error').catch((error: unknown) => [error]);

  expect(worldError(error)).toMatchObject({ name: 'DatabaseUnreachableError', cause: error });
});

test.each([
  'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETDOWN', 'ENOTFOUND', 'EAI_AGAIN', 'EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER',
])('%s, as a socket has it, is the database being away', (code) => {
  expect(worldError(failing(code))?.name).toBe('DatabaseUnreachableError');
});

test.each(['UNSPECIFIED', 'ERROR_IN_CERT_NOT_BEFORE_FIELD', 'CRL_HAS_EXPIRED', 'CERT_HAS_EXPIRED'])(
  '%s, as OpenSSL has it against a certificate while connecting, is for an operator to mend',
  (code) => {
    expect(connectError(failing(code))).toMatchObject({ name: 'DatabaseUnreachableError', code: 'certificate_refused' });
  },
);

test.each(['ENOSPC', 'EIO', 'EROFS', 'EDQUOT', 'ENOENT', 'EACCES', 'EMFILE'])('%s of a disk is not the doing of the database', (code) => {
  expect(worldError(new DiskError('write', '/moved', failing(code)))).toBeUndefined();
});
