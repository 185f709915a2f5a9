import { expect, test } from 'vitest';
import { fnvHash } from '../../src/base/fnv-hash.ts';

test.each([['', 0x811c9dc5], ['a', 0xe40c292c], ['foobar', 0xbf9cf968]])('the published value of %j', (text, hash) => {
  expect(fnvHash(text)).toBe(hash);
});
