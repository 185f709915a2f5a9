import { expect, test } from 'vitest';
import { Guard } from '../../src/observer/pages/guard.ts';
import type { PageAnswer, PageRequest } from '../../src/api/page.ts';

const SECRET = 'geheim & süß';
const LOCAL = { host: 'localhost:3000' };

function request(headers: PageRequest['headers'], path = '/_observer', query = ''): PageRequest {
  return { method: 'GET', path, query: new URLSearchParams(query), headers, signal: new AbortController().signal };
}

function codeOf(answer: PageAnswer | undefined): unknown {
  if (answer === undefined || !Array.isArray(answer.body)) return undefined;
  return [answer.status, (JSON.parse(Buffer.concat(answer.body as Uint8Array[]).toString()) as { code: string }).code];
}

function headerOf(answer: PageAnswer | undefined, name: string): string | undefined {
  const { headers = [] } = answer ?? {};
  const index = headers.findIndex((each, at) => at % 2 === 0 && each === name);
  return index < 0 ? undefined : headers[index + 1];
}

const OWN_NAMES = ['localhost', 'localhost:3000', '127.0.0.1:80', '[::1]:3000', 'LOCALHOST:1'];
const OTHER_NAMES = [
  undefined, '', 'evil.example', 'localhost.evil.example:3000', '127.0.0.1.evil.example', '192.168.1.4:3000', 'localhost:3000:80',
];

test.each(OWN_NAMES)('without a secret who comes to %s may look', (host) => {
  expect(new Guard(undefined).refusalOf(request({ host }), false)).toBe(undefined);
});

test.each(OTHER_NAMES)(
  'without a secret nobody may look who comes to %s: a site may have led a browser here by a name of its own',
  (host) => {
    const headers = host === undefined ? {} : { host };
    expect(codeOf(new Guard(undefined).refusalOf(request(headers), false))).toEqual([403, 'foreign_host']);
  },
);

test.each([
  { forwarded: 'for=192.0.2.1' }, { via: '1.1 gate' }, { 'x-forwarded-for': '192.0.2.1' }, { 'x-forwarded-host': 'sync.example' },
  { 'x-real-ip': '' },
])('without a secret nobody may look who comes through a proxy on this machine, with one its bearer may: %o', (headers) => {
  const asked = request({ ...LOCAL, ...headers, authorization: `Bearer ${SECRET}` });
  const given = request({ ...LOCAL, ...headers }, '/_observer', 'secret=any');

  const open = new Guard(undefined);
  expect([codeOf(open.refusalOf(asked, true)), codeOf(open.exchange(given)), new Guard(SECRET).refusalOf(asked, true)]).toEqual([
    [403, 'foreign_proxy'],
    [403, 'foreign_proxy'],
    undefined,
  ]);
});

test.each([
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { origin: 'http://localhost:5173' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
])('a page of elsewhere gets nothing: %o', (headers) => {
  const asked = request({ ...LOCAL, ...headers, authorization: `Bearer ${SECRET}` });
  expect([undefined, SECRET].map((secret) => codeOf(new Guard(secret).refusalOf(asked, false)))).toEqual([
    [403, 'foreign_site'],
    [403, 'foreign_site'],
  ]);
});

test.each([{ origin: 'http://localhost:3000' }, { 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }])(
  'its own page, and who types the address, may look: %o',
  (headers) => {
    expect(new Guard(undefined).refusalOf(request({ ...LOCAL, ...headers }), false)).toBe(undefined);
  },
);

test('a link of elsewhere leads to the page, and to no form', () => {
  const followed = { ...LOCAL, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  const framed = { ...followed, 'sec-fetch-dest': 'iframe' };
  const guard = new Guard(undefined);

  const [page, form, frame] = [
    guard.refusalOf(request(followed), true), guard.refusalOf(request(followed), false), guard.refusalOf(request(framed), true),
  ];
  expect([page, codeOf(form), codeOf(frame)]).toEqual([undefined, [403, 'foreign_site'], [403, 'foreign_site']]);
});

test.each([
  {},
  { authorization: 'Bearer wrong' },
  { authorization: SECRET },
  { authorization: 'Bearer ' },
  { cookie: 'armature_observer=' },
  { cookie: `armature_observer=${SECRET}` },
])('with a secret nobody may look without it: %o', (headers) => {
  expect(codeOf(new Guard(SECRET).refusalOf(request({ ...LOCAL, ...headers }), false))).toEqual([401, 'unauthorized']);
});

test('with a secret its bearer may look, from any name of this machine, in either coding of a header', () => {
  const guard = new Guard(SECRET);
  const asBytes = Buffer.from(SECRET).toString('latin1');
  const asked = [SECRET, asBytes].map((text) => request({ host: 'sync.example', authorization: `Bearer ${text}` }));

  expect(asked.map((each) => guard.refusalOf(each, false))).toEqual([undefined, undefined]);
});

test('the secret in the address of a page becomes a cookie that is not the secret, and the address goes on without it', () => {
  const guard = new Guard(SECRET);
  const answer = guard.exchange(request(LOCAL, '/_observer/shapes', `secret=${encodeURIComponent(SECRET)}&search=a%20b`));
  const cookie = headerOf(answer, 'set-cookie') ?? '';
  const [pass = ''] = cookie.split(';');

  expect({
    status: answer?.status,
    location: headerOf(answer, 'location'),
    scope: cookie.slice(pass.length),
    holdsSecret: cookie.includes(SECRET),
    mayLook: guard.refusalOf(request({ ...LOCAL, cookie: `other=1; ${pass}` }), false),
    elsewhere: codeOf(new Guard('another').refusalOf(request({ ...LOCAL, cookie: pass }), false)),
  }).toEqual({
    status: 303,
    location: '/_observer/shapes?search=a+b',
    scope: '; Path=/_observer; HttpOnly; SameSite=Lax',
    holdsSecret: false,
    mayLook: undefined,
    elsewhere: [401, 'unauthorized'],
  });
});

test('who has the cookie may follow a link of elsewhere, which browsers send it with; over https they send it there alone', () => {
  const guard = new Guard(SECRET);
  const cookieFor = (headers: PageRequest['headers']): string => {
    const answer = guard.exchange(request(headers, '/_observer', `secret=${encodeURIComponent(SECRET)}`));
    return headerOf(answer, 'set-cookie') ?? '';
  };
  const [pass = ''] = cookieFor(LOCAL).split(';');
  const followed = { ...LOCAL, cookie: pass, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

  const overHttps = { ...LOCAL, 'x-forwarded-proto': 'https' };
  const isSecure = [LOCAL, overHttps].map((headers) => cookieFor(headers).endsWith('; SameSite=Lax; Secure'));
  expect([guard.refusalOf(request(followed), true), isSecure]).toEqual([undefined, [false, true]]);
});

test('a wrong secret in the address is refused, and one that nobody asks for is taken out of it', () => {
  const asked = request(LOCAL, '/_observer', 'secret=wrong');
  const open = new Guard(undefined).exchange(asked);

  expect([codeOf(new Guard(SECRET).exchange(asked)), open?.status, headerOf(open, 'location'), headerOf(open, 'set-cookie')]).toEqual([
    [401, 'unauthorized'],
    303,
    '/_observer',
    undefined,
  ]);
});
