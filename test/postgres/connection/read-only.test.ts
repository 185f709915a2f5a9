/** By which setting a session may only read, where that is what Postgres has against a statement. */
import { expect, test } from 'vitest';
import { readOnlyMeaning } from '../../../src/postgres/connection/read-only.ts';

test.each([
  ['of a session that may only read names the setting', '25006', 'cannot execute ALTER TABLE in a read-only transaction', true],
  ['of a standby does not, for no setting helps there', '25006', 'cannot execute ALTER TABLE during recovery', false],
  ['of another kind does not, whatever its words', 'P0001', 'this is for who works in a read-only transaction', false],
])('a refusal %s', (_, code, message, isNamed) => {
  const named = expect.stringMatching(/^default_transaction_read_only is on/) as string;

  expect(readOnlyMeaning({ code, message })).toEqual(isNamed ? named : undefined);
});
