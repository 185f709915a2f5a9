/** A file that says whom to trust: one that holds no certificate trusts nobody, and is refused in words. */
import { rootCertificates } from 'node:tls';
import { expect, test } from 'vitest';
import { caCertificates } from '../../src/settings/ca-certificates.ts';

const [FIRST = '', SECOND = ''] = rootCertificates;

test('the certificates are taken out of what stands between them', async () => {
  expect(await caCertificates('/ca', () => Promise.resolve(`# of ours\n${FIRST}\n\n# of theirs\n${SECOND}\n`))).toBe(`${FIRST}\n${SECOND}`);
});

test.each([
  ['is empty', '', 'it has no certificate in it'],
  ['has a key in it', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----', 'it has no certificate in it'],
  ['is damaged', `${FIRST}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`, 'certificate 2 of 2 in it is damaged'],
])('a file that %s is refused', async (_, text, why) => {
  expect(await caCertificates('/ca', () => Promise.resolve(text))).toEqual({
    code: 'bad_ca_file', message: expect.stringContaining(`Invalid CA certificate file /ca: ${why}`) as string,
  });
});

test('what is no refusal of a file goes on as it is', async () => {
  const bug = new TypeError('two and two are four');

  await expect(caCertificates('/ca', () => Promise.reject(bug))).rejects.toBe(bug);
});
