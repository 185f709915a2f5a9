import { expect, test } from 'vitest';
import { visitable } from '../../src/base/visitable-url.ts';

test.each([
  ['http://0.0.0.0:3000', 'http://127.0.0.1:3000'],
  ['http://[::]:3000/_observer', 'http://[::1]:3000/_observer'],
  ['http://192.0.2.7:80/metrics', 'http://192.0.2.7:80/metrics'],
  ['http://[2001:db8::7]:3000', 'http://[2001:db8::7]:3000'],
  ['http://10.0.0.0:3000', 'http://10.0.0.0:3000'],
  ['', ''],
])('who listens at %s is reached at %s', (url, reached) => {
  expect(visitable(url)).toBe(reached);
});
