/**
 * PrintableText: what is told of a database or a service may hold any character, those among them that move a terminal's cursor, or turn
 * what follows the other way round. They are spelt out, so that nothing of a name has an effect.
 */

/** @returns `text` on one line, with what is not to be seen spelt out as in a string of JavaScript: `\u{1b}` for the escape character. */
export function printable(text: string): string {
  return text.replace(/[\p{C}\u2028\u2029]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
