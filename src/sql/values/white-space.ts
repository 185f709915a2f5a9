/**
 * White space as the input functions of Postgres know it: six characters. JavaScript's `\s` and `trim` take more of
 * them (a no-break space, a byte order mark), which Postgres refuses to read as part of a number or a date.
 */
const CHARACTERS = ' \t\n\v\f\r';

/** For a regular expression: one of them. */
export const SPACE = String.raw`[ \t\n\v\f\r]`;

/** The text without white space at its ends. */
export function trimSpace(text: string): string {
  let start = 0;
  while (start < text.length && CHARACTERS.includes(text.charAt(start))) start += 1;
  return trimEnd(text.slice(start));
}

/**
 * The text without any of `characters` at its end: white space, if none are named. No regular expression: `/ +$/` is slow where many
 * stand before something else.
 */
export function trimEnd(text: string, characters = CHARACTERS): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
