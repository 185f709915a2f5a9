/**
 * The encoder: Postgres's text of a value becomes the JSON of that value, byte for byte, in every path by which a row
 * can reach a client. It never passes through a string: UTF-8 stays as it is.
 *
 * Equal text gives equal bytes, whichever path it came by: the stream, a portal, or the lines of COPY with escapes of their
 * own. There is one exception, because ElectricSQL's service makes it and its clients expect it: a boolean is `true` or
 * `false` in a snapshot, `t` or `f` in the stream. `encodeBoolean` is all that there is of it.
 */
import { textOf, type GrowableBytes } from '../../base/growable-bytes.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const TAB = 0x09;
const NEWLINE = 0x0a;
const LOWER_U = 0x75;
const ESCAPE_BYTES_MAX = 6; // `\u001f`

/** How JSON writes each byte: as it is (0), as `\u00..` (LOWER_U), or as a backslash and this letter. */
const ESCAPES = new Uint8Array(256);
ESCAPES.fill(LOWER_U, 0, 0x20);
const LETTERS = [[0x08, 'b'], [TAB, 't'], [NEWLINE, 'n'], [0x0c, 'f'], [0x0d, 'r'], [QUOTE, '"'], [BACKSLASH, '\\']] as const;
for (const [byte, letter] of LETTERS) ESCAPES[byte] = letter.charCodeAt(0);

const HEX = new TextEncoder().encode('0123456789abcdef');
const NULL = textOf('null');
const TRUE = textOf('"true"');
const FALSE = textOf('"false"');
const LOWER_T = 0x74;

export function encodeNull(out: GrowableBytes): void {
  out.append(NULL);
}

/** Appends the JSON of the text that lies in `source` from `start` to `end`. */
export function encodeText(out: GrowableBytes, source: Uint8Array, start: number, end: number): void {
  putQuote(out);
  encodeContent(out, source, start, end);
  putQuote(out);
}

/** The same without its quotes. */
export function encodeContent(out: GrowableBytes, source: Uint8Array, start: number, end: number): void {
  let index = copyPlain(out, source, start, end);
  while (index < end) index = copyPlain(out, source, putAndPass(out, source, index), end);
}

/** Appends a boolean as the snapshot has it; `source[start]` is `t` or `f`. */
export function encodeBoolean(out: GrowableBytes, source: Uint8Array, start: number): void {
  const json = source[start] === LOWER_T ? TRUE : FALSE;
  out.append(json);
}

/**
 * Appends the JSON of the field of a COPY text line that begins at `start`; `\N` is NULL.
 *
 * @param end where the line ends, its newline left out.
 * @returns where the field ends: at a tab, or at `end`.
 */
export function encodeCopyField(out: GrowableBytes, line: Uint8Array, start: number, end: number): number {
  if (line[start] === BACKSLASH && isCopyNull(line, start, end)) {
    encodeNull(out);
    return start + 2;
  }
  putQuote(out);
  const at = encodeCopyContent(out, line, start, end);
  putQuote(out);
  return at;
}

/** The same of a field that is not NULL, without its quotes. */
export function encodeCopyContent(out: GrowableBytes, line: Uint8Array, start: number, end: number): number {
  let index = copyPlain(out, line, start, end);
  while (index < end && line[index] !== TAB) {
    const next = line[index] === BACKSLASH ? putCopyEscape(out, line, index + 1, end) : putAndPass(out, line, index);
    index = copyPlain(out, line, next, end);
  }
  return index;
}

/**
 * Copies what JSON has as it is, eight bytes at a time: nearly all of nearly every value.
 *
 * @returns where the first byte lies that it writes otherwise, which a tab is too; or `end`.
 */
function copyPlain(out: GrowableBytes, source: Uint8Array, start: number, end: number): number {
  out.reserve(end - start);
  const { bytes, view } = out;
  let at = out.length;
  let index = start;
  if (end - start >= 8) {
    const words = out.viewOf(source);
    for (const last = end - 8; index <= last; index += 8, at += 8) {
      const one = words.getInt32(index, true);
      const two = words.getInt32(index + 4, true);
      if (((escapedIn(one) | escapedIn(two)) & 0x8080_8080) !== 0) break;
      view.setInt32(at, one, true);
      view.setInt32(at + 4, two, true);
    }
  }
  for (; index < end; index += 1) {
    const byte = source[index] as number; // Inside: the caller gave the bounds.
    if (ESCAPES[byte] !== 0) break;
    bytes[at++] = byte;
  }
  out.length = at;
  return index;
}

/**
 * Four bytes at once: the high bits say whether one of them is below 0x20, a quote or a backslash. What is subtracted from each byte makes
 * that bit where the byte is less; one that has it already is none of these. A byte that is less borrows from the next, which may then seem
 * to be less too: of the four together it is true all the same. The numbers stand here by themselves, for by a name they would be read
 * from memory each time.
 */
function escapedIn(word: number): number {
  return ((word - 0x2020_2020) | ((word ^ 0x2222_2222) - 0x0101_0101) | ((word ^ 0x5c5c_5c5c) - 0x0101_0101)) & ~word;
}

/** Where the field ends that begins at `start`, unread: for a field whose meaning is known from its first byte. */
export function endOfPlainField(line: Uint8Array, start: number, end: number): number {
  let index = start;
  while (index < end && line[index] !== TAB) index += 1;
  return index;
}

export function isCopyNull(line: Uint8Array, start: number, end: number): boolean {
  const isWhole = start + 2 === end || line[start + 2] === TAB;
  return start + 2 <= end && line[start] === BACKSLASH && line[start + 1] === 0x4e && isWhole;
}

const COPY_ESCAPES = [['b', 0x08], ['t', TAB], ['n', NEWLINE], ['f', 0x0c], ['r', 0x0d], ['v', 0x0b]] as const;
const COPY_LETTERS = new Map<number, number>(COPY_ESCAPES.map(([letter, byte]) => [letter.charCodeAt(0), byte]));
const LOWER_X = 0x78;

/** Decodes what stands behind a backslash at `at`; returns where the rest goes on. */
function putCopyEscape(out: GrowableBytes, line: Uint8Array, at: number, end: number): number {
  const letter = line[at] as number;
  if (digit(letter, 8) >= 0) return putNumber(out, line, at, Math.min(end, at + 3), 8);
  if (letter === LOWER_X && at + 1 < end && digit(line[at + 1] as number, 16) >= 0) {
    return putNumber(out, line, at + 1, Math.min(end, at + 3), 16);
  }
  putByte(out, COPY_LETTERS.get(letter) ?? letter);
  return at + 1;
}

function putNumber(out: GrowableBytes, line: Uint8Array, start: number, end: number, base: 8 | 16): number {
  let value = 0;
  let at = start;
  for (; at < end; at += 1) {
    const next = digit(line[at] as number, base);
    if (next < 0) break;
    value = value * base + next;
  }
  putByte(out, value & 0xff);
  return at;
}

function digit(byte: number, base: 8 | 16): number {
  const value = byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66 ? (byte | 0x20) - 0x57 : -1;
  return value < base ? value : -1;
}

function putAndPass(out: GrowableBytes, line: Uint8Array, index: number): number {
  putByte(out, line[index] as number);
  return index + 1;
}

function putQuote(out: GrowableBytes): void {
  out.appendByte(QUOTE);
}

/** One byte of text, escaped if JSON wants it. */
function putByte(out: GrowableBytes, byte: number): void {
  out.reserve(ESCAPE_BYTES_MAX);
  const escape = ESCAPES[byte] as number;
  if (escape === 0) out.bytes[out.length++] = byte;
  else out.length = putEscape(out.bytes, out.length, byte, escape);
}

function putEscape(bytes: Uint8Array, at: number, byte: number, escape: number): number {
  bytes[at] = BACKSLASH;
  bytes[at + 1] = escape;
  if (escape !== LOWER_U) return at + 2;
  bytes[at + 2] = bytes[at + 3] = 0x30;
  bytes[at + 4] = HEX[byte >> 4] as number;
  bytes[at + 5] = HEX[byte & 15] as number;
  return at + 6;
}
