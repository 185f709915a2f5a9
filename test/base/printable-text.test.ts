/** Names that are hostile to a terminal, as it gets them. */
import { expect, test } from 'vitest';
import { printable } from '../../src/base/printable-text.ts';

test.each([
  ['ends of lines', 'a\r\nb\u2028c\u2029', 'a\\u{d}\\u{a}b\\u{2028}c\\u{2029}'],
  ['control characters', '\u001b[2J\u009b\u0000', '\\u{1b}[2J\\u{9b}\\u{0}'],
  ['what turns the direction, or is not seen', '\u202e\u200b\ufeff', '\\u{202e}\\u{200b}\\u{feff}'],
  ['what needs two units of UTF-16', '\u{e0041}', '\\u{e0041}'],
  ['half of a pair', 'a\ud800b', 'a\\u{d800}b'],
])('%s are spelt out', (_, text, spelt) => {
  expect(printable(text)).toBe(spelt);
});

test('what is seen stays as it is', () => {
  const seen = 'Größe "次" \u{1F600} <b> \\ $ ½';

  expect(printable(seen)).toBe(seen);
});
