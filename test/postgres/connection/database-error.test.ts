import { once } from 'node:events';
import { connect, type NetConnectOpts } from 'node:net';
import pg from 'pg';
import { expect, test } from 'vitest';
import { connectError, isAnswer, isLasting, isPassing, worldError } from '../../../src/postgres/connection/database-error.ts';
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

const [AWAY, REFUSED] = ['DatabaseUnreachableError', 'DatabaseRefusedError'];

test.each([
  ['08006', AWAY, ''],
  ['53300', AWAY, 'passing'],
  ...['57P01', '57P02', '57P03', '57P04', '57P05'].map((state) => [state, AWAY, 'passing']),
  ['28000', REFUSED, 'lasting'],
  ['28P01', REFUSED, 'lasting'],
  ['3D000', REFUSED, 'lasting'],
  ['42501', REFUSED, 'lasting'],
  ...['22012', '40P01', '53200', '55006', '55P03', '57014'].map((state) => [state, REFUSED, '']),
])('what Postgres says with %s is a %s (%s)', (state, name, standing) => {
  const error = worldError(Object.assign(new pg.DatabaseError('it says so', 0, 'error'), { code: state }));

  const told = error && { name: error.name, isLasting: isLasting(error), isPassing: isPassing(error), isAnswer: isAnswer(error) };
  expect(told).toEqual({ name, isLasting: standing === 'lasting', isPassing: standing === 'passing', isAnswer: true });
});

test('of a host with several addresses, none of which answers, the database is away', () => {
  const error = worldError(new AggregateError([failing('ECONNREFUSED'), failing('ENETUNREACH')]));

  expect(error).toMatchObject({ name: AWAY, message: 'ECONNREFUSED' });
});
