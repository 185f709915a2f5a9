/** The first line at a terminal names a place that can be gone to. */
import { expect, test } from 'vitest';
import { openingLine } from '../../src/commands/opening-line.ts';

test.each([
  ['0.0.0.0', 3000, ' at http://127.0.0.1:3000/v1/shape'],
  ['::', 3000, ' at http://[::1]:3000/v1/shape'],
  ['192.0.2.7', 80, ' at http://192.0.2.7:80/v1/shape'],
  ['2001:db8::7', 3000, ' at http://[2001:db8::7]:3000/v1/shape'],
  ['127.0.0.1', 0, ''],
])('of %s, port %d', (host, port, place) => {
  expect(openingLine({ host, port })).toBe(`Armature is starting, to serve shapes${place}; Ctrl-C stops it\n`);
});
