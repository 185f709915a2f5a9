import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redacted, redactedText } from '../../src/telemetry/redaction.ts';

describe('a secret inside a text', () => {
  test.each([
    ['a query', 'GET /v1/shape?table=items&secret=hunter2&offset=-1', 'GET /v1/shape?table=items&secret=[redacted]&offset=-1'],
    ['a query in capitals', '/v1/shape?API_SECRET=hunter2', '/v1/shape?API_SECRET=[redacted]'],
    ['an encoded query', 'next=%2Fv1%3Ftoken%3Dhunter2', 'next=%2Fv1%3Ftoken%3D[redacted]'],
    ['a database URL', 'postgresql://ada:hunter2@db:5432/app', 'postgresql://ada:[redacted]@db:5432/app'],
    ['a password with all that should be encoded', `postgres://ada:hun@t/e'r"2@db/app`, 'postgres://ada:[redacted]@db/app'],
    ['another URL', 'proxy https://ada:hunter2@host/x?y=a@b', 'proxy https://ada:[redacted]@host/x?y=a@b'],
    ['a connection string', 'host=db password=hunter2 user=ada', 'host=db password=[redacted] user=ada'],
    ['a quoted connection string', String.raw`password = 'hun\'t er2' user=ada`, 'password = [redacted] user=ada'],
    ['JSON', '{"user":"ada","access_token":"hunter2"}', '{"user":"ada","access_token":"[redacted]"}'],
    ['JSON in JSON', String.raw`{"body":"{\"apiKey\":\"hunter2\"}"}`, String.raw`{"body":"{\"apiKey\":\"[redacted]\"}"}`],
  ])('%s', (_, text, expected) => {
    expect(redactedText(text)).toBe(expected);
  });

  test.each([
    'http://127.0.0.1:3000/v1/shape?where=email=a@b.c',
    'syntax error: unexpected token: "x"',
    'password authentication failed for user "ada"',
  ])('says what held none as it was: %s', (text) => {
    expect(redactedText(text)).toBe(text);
  });
});

test('a secret under its name, at any depth, in any spelling', () => {
  const value = {
    secret: 1,
    a: [{ accessToken: 'x', keep: 'y' }],
    ARMATURE_SECRET: 'x',
    'api-key': { inner: 'x' },
    Password: 'x',
    user: 'ada',
  };

  expect(redacted(value)).toEqual({
    secret: '[redacted]',
    a: [{ accessToken: '[redacted]', keep: 'y' }],
    ARMATURE_SECRET: '[redacted]',
    'api-key': '[redacted]',
    Password: '[redacted]',
    user: 'ada',
  });
});

test('whatever stands around it, a secret never gets through', () => {
  const names = fc
    .constantFrom('secret', 'api_secret', 'token', 'access_token', 'api_key', 'password')
    .chain((name) => fc.constantFrom(name, name.toUpperCase()));
  const secrets = fc.stringMatching(/^[a-z0-9!$*+.~^-]{12,20}$/);
  const around = fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[a-z]/gi, ''));

  fc.assert(
    fc.property(names, secrets, around, around, (name, secret, before, after) => {
      const lines = [`${before}?${name}=${secret}&${after}`, `${before} postgres://u:${secret}@h/d ${after}`].map(redactedText);
      const fields = JSON.stringify(redacted({ [before]: [{ [name]: secret, after }] }));
      expect([...lines, fields].filter((line) => line.includes(secret))).toEqual([]);
    }),
  );
});
