/** What an operator reads of a transaction of somebody else's, by what Postgres tells our role of it. */
import { expect, test } from 'vitest';
import { type OpenTransaction, transactionText } from '../../../src/postgres/connection/open-transaction.ts';

const UNTOLD: OpenTransaction = { pid: null, application: null, address: null, role: null, since: null, gid: null };

test.each<[string, Partial<OpenTransaction>, string]>([
  [
    'of a session', { pid: 42, application: 'a "job"', role: 'app', address: '10.0.0.7', since: new Date(0) },
    'process 42 of Postgres, application "a \\"job\\"", role "app", from 10.0.0.7, since 1970-01-01T00:00:00.000Z',
  ],
  ['of a session without a name', { pid: 42, application: '', role: 'app' }, 'process 42 of Postgres, role "app"'],
  ['of a session that our role may not see', { pid: 42 }, 'process 42 of Postgres'],
  [
    'that was prepared', { gid: 'left\nover', role: 'app', since: new Date(0) },
    'the prepared transaction "left\\nover", role "app", since 1970-01-01T00:00:00.000Z',
  ],
])('a transaction %s', (_, known, text) => {
  expect(transactionText({ ...UNTOLD, ...known })).toBe(text);
});
