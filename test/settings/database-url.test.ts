/** The database's URL: which one is meant, and that no part of a password is told where it cannot be read. */
import { expect, test } from 'vitest';
import { readConfiguration } from '../../src/settings/configuration.ts';
import { parseDatabaseUrl } from '../../src/settings/database-url.ts';
import { runTool } from '../support/commands/run-tool.ts';

const urlOf = (password: string): string => `postgresql://someone:${password}@db:5432/app`;

test.each(['S3cr@rest9', 'S3cr:rest9', 'S3cr%40rest9', 'S3cr%2Frest9', 'S3cr%23rest9', 'S3cr+rest9', 'S3cr&rest9', 'S3cr\\rest9'])(
  'a password %s can mean one thing alone, and is read so',
  (password) => {
    expect(parseDatabaseUrl(urlOf(password))).toMatchObject({ host: 'db', user: 'someone', password: decodeURIComponent(password) });
  },
);

test.each([
  'S3cr/rest9', 'S3cr#rest9', 'S3cr?rest9', '12/S3crrest9', '12#S3crrest9', '12?S3crrest9', 'a@S3cr/rest9', 'a@S3cr#rest9', 'a@S3cr?rest9',
  'a@S3cr:7/rest9', 'S3cr[rest9/', 'S3cr%rest9', '/S3crrest9', '#S3crrest9', 'S3cr/rest9?x=a',
])('a password %s is told to be percent-encoded, by every command, and nothing of it is told', async (password) => {
  const environment = { DATABASE_URL: urlOf(password), ARMATURE_INSECURE: 'true' };
  const read = readConfiguration('start', {}, environment);
  const tools = await Promise.all([runTool(['doctor'], environment), runTool(['cleanup'], environment)]);

  const told = ['problems' in read ? read.problems.join() : 'read', ...tools.map(({ complaints }) => complaints.join())];
  expect(told.map((text) => [text.includes('percent-encode'), /S3cr|rest9/.test(text)])).toEqual(Array(3).fill([true, false]));
});

test('what stands behind the host is the database and its options', () => {
  expect(['postgresql://u@h', 'postgres://u:p@[::1]:6543/My%20App?sslmode=verify-ca'].map(parseDatabaseUrl)).toEqual([
    { host: 'h', port: 5432, user: 'u', password: undefined, database: 'u', sslMode: 'prefer' },
    { host: '::1', port: 6543, user: 'u', password: 'p', database: 'My App', sslMode: 'verify-ca' },
  ]);
});
