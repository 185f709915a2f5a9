/**
 * LineScan: goes through the bytes of one line, and refuses all that is not what it was told to find. It reads what our own
 * writer wrote and nothing else: no white space, no order but one, strings and null as the only values of a row.
 */
import { jsonText } from '../model/change.ts';
import { UnreadableEntryError } from '../model/log-entry.ts';
import type { ToldValue } from '../model/row-values.ts';

const encoder = new TextEncoder();
const NULL = encoder.encode('null');
const TRUE = encoder.encode('true');
const FALSE = encoder.encode('false');
const [QUOTE, BACKSLASH, COMMA, COLON, OPEN_BRACE, CLOSE_BRACE, ZERO, NINE] = [0x22, 0x5c, 0x2c, 0x3a, 0x7b, 0x7d, 0x30, 0x39] as const;

/** From where to where a member of an object lies, its name and its value. */
export interface MemberSpan {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

export class LineScan {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  /** How far it has come. */
  get place(): number {
    return this.at;
  }

  expect(fragment: Uint8Array): void {
    if (!this.skip(fragment)) this.refuse();
  }

  /** @returns whether `fragment` was there. */
  skip(fragment: Uint8Array): boolean {
    if (!this.isAt(fragment, this.at)) return false;
    this.at += fragment.length;
    return true;
  }

  end(): void {
    if (this.at !== this.bytes.length) this.refuse();
  }

  /** The text of a string that begins here with its quote. */
  text(): string {
    const start = this.at;
    this.skipString();
    try {
      return jsonText(this.bytes, start, this.at);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return this.refuse(start);
    }
  }

  skipString(): void {
    if (this.bytes[this.at] !== QUOTE) this.refuse();
    for (let at = this.at + 1; at < this.bytes.length; at += 1) {
      const byte = this.bytes[at];
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) {
        this.at = at + 1;
        return;
      }
    }
    this.refuse();
  }

  /** The strings of a list that has begun, as far as they go. */
  skipStrings(): void {
    if (this.bytes[this.at] !== QUOTE) return;
    do this.skipString();
    while (this.skipByte(COMMA));
  }

  /** The same of `true` and `false`. */
  skipBooleans(): void {
    if (!this.skipBoolean()) return;
    while (this.skipByte(COMMA)) if (!this.skipBoolean()) this.refuse();
  }

  /** An object of strings and nulls. @returns the value behind each of `labels`; undefined for one that is not there. */
  members(labels: readonly Uint8Array[]): readonly ToldValue[] {
    const found = labels.map((): ToldValue => undefined);
    this.expectByte(OPEN_BRACE);
    if (this.skipByte(CLOSE_BRACE)) return found;
    do this.member(labels, found);
    while (this.skipByte(COMMA));
    this.expectByte(CLOSE_BRACE);
    return found;
  }

  /** Where each member of such an object lies, in its order. @param textOf of a name as it is written, with its quotes. */
  spans(textOf: (from: number, to: number) => string): readonly MemberSpan[] {
    const found: MemberSpan[] = [];
    this.expectByte(OPEN_BRACE);
    if (this.skipByte(CLOSE_BRACE)) return found;
    do {
      const from = this.at;
      this.skipString();
      const name = textOf(from, this.at);
      this.skipValue();
      found.push({ name, from, to: this.at });
    } while (this.skipByte(COMMA));
    this.expectByte(CLOSE_BRACE);
    return found;
  }

  /** A whole number that is not negative. */
  number(): number {
    const start = this.at;
    let value = 0;
    for (let byte = this.bytes[this.at] ?? 0; byte >= ZERO && byte <= NINE; byte = this.bytes[this.at] ?? 0) {
      value = value * 10 + byte - ZERO;
      this.at += 1;
    }
    return this.at > start ? value : this.refuse();
  }

  refuse(at = this.at): never {
    throw new UnreadableEntryError(`at byte ${at} of ${this.bytes.length} stands something else than a row is written with`);
  }

  private isAt(fragment: Uint8Array, at: number): boolean {
    for (let index = 0; index < fragment.length; index += 1) if (this.bytes[at + index] !== fragment[index]) return false;
    return true;
  }

  private skipBoolean(): boolean {
    return this.skip(TRUE) || this.skip(FALSE);
  }

  /** @param found takes the value in, as often as its label is among `labels`. */
  private member(labels: readonly Uint8Array[], found: ToldValue[]): void {
    const start = this.at;
    let value: ToldValue;
    for (const [index, label] of labels.entries()) {
      if (value === undefined ? !this.skip(label) : !this.isAt(label, start)) continue;
      if (value === undefined) value = this.skip(NULL) ? null : this.text();
      found[index] = value;
    }
    if (value === undefined) this.skipMember();
  }

  private skipMember(): void {
    this.skipString();
    this.skipValue();
  }

  private skipValue(): void {
    this.expectByte(COLON);
    if (!this.skip(NULL)) this.skipString();
  }

  private expectByte(byte: number): void {
    if (!this.skipByte(byte)) this.refuse();
  }

  private skipByte(byte: number): boolean {
    if (this.bytes[this.at] !== byte) return false;
    this.at += 1;
    return true;
  }
}
