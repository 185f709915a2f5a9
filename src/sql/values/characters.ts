/**
 * Characters of a text as Postgres counts them: code points. A text may be of megabytes, so none is taken apart into a list.
 */

/** In code units: 1 or 2. */
export function characterSize(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

export function characterCount(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += characterSize(text, at)) count += 1;
  return count;
}

/** Where the character with that number begins, of which the first has 0; the end of the text when it has no such. */
export function placeOfCharacter(text: string, number: number): number {
  let at = 0;
  for (let passed = 0; passed < number && at < text.length; passed += 1) at += characterSize(text, at);
  return at;
}

/** Where the last character before `end` begins. */
export function placeBefore(text: string, end: number): number {
  const isPair = end > 1 && characterSize(text, end - 2) === 2;
  return end - (isPair ? 2 : 1);
}
