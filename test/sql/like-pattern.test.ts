import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isOpen, likeMatcher, parseLikePattern, printLikePattern } from '../../src/sql/patterns/like-pattern.ts';

const character = fc.constantFrom('a', 'b', '%', '_', '\\', '\u{1F600}', '\n', '.', '*');
const textArbitrary = fc.array(character, { maxLength: 8 }).map((parts) => parts.join(''));

/** The same, said with a regular expression: short texts cannot make it slow. */
function matchesAsRegExp(pattern: string, text: string): boolean | undefined {
  const parts = parseLikePattern(pattern);
  if (isOpen(parts)) return undefined;
  const escaped = (literal: string): string => literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const source = parts.map((part) => (typeof part === 'object' ? escaped(part.literal) : part === 'anyText' ? '.*' : '.'));
  return new RegExp(`^${source.join('')}$`, 'su').test(text);
}

test('matches whole texts by code points', () => {
  fc.assert(
    fc.property(textArbitrary, textArbitrary, (pattern, text) => {
      const parts = parseLikePattern(pattern);
      expect(isOpen(parts) ? undefined : likeMatcher(parts)(text)).toBe(matchesAsRegExp(pattern, text));
    }),
    { numRuns: 2000 },
  );
});

test('a pattern printed is a pattern that means the same', () => {
  fc.assert(
    fc.property(textArbitrary, fc.constantFrom('\\', '!', ''), (text, escape) => {
      const parts = parseLikePattern(text, escape);
      expect(parseLikePattern(printLikePattern(parts))).toEqual(parts);
    }),
  );
});

test('a pattern of many wildcards costs no more than its length times the text', () => {
  const matches = likeMatcher(parseLikePattern(`${'%a'.repeat(200)}b`));
  expect(matches('a'.repeat(5000))).toBe(false);
});

test('a pattern that ends in its escape is an error for a text that gets there, and for no other', () => {
  const matches = likeMatcher(parseLikePattern('a%\\'));
  expect([matches('b'), matches('a'), () => matches('ab')]).toEqual([false, false, expect.any(Function)]);
  expect(() => matches('ab')).toThrow('LIKE pattern must not end with escape character');
});
