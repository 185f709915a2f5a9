/**
 * EntrySeparators: the commas between the entries of a run, in bytes that come in parts. Nothing tells where an entry ends but
 * its JSON; what lies before a part is not looked at again.
 */
const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c] as const;
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d] as const;

export class EntrySeparators {
  private depth = 0;
  private isInString = false;
  private isEscaped = false;

  /** @returns where the next one lies at or behind `from`; the size of `bytes` when it is not in them. */
  next(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at += 1) {
      if (this.isInString) at = this.stringEnd(bytes, at);
      else if (bytes[at] === COMMA && this.depth === 0) return at;
      else this.take(bytes[at]);
    }
    return bytes.length;
  }

  private take(byte: number | undefined): void {
    if (byte === QUOTE) this.isInString = true;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.depth -= 1;
  }

  /** @returns where the closing quote lies, or the size of `bytes`. */
  private stringEnd(bytes: Uint8Array, from: number): number {
    let { isEscaped } = this;
    this.isEscaped = false;
    for (let at = from; at < bytes.length; at += 1) {
      if (isEscaped) isEscaped = false;
      else if (bytes[at] === BACKSLASH) isEscaped = true;
      else if (bytes[at] === QUOTE) {
        this.isInString = false;
        return at;
      }
    }
    this.isEscaped = isEscaped;
    return bytes.length;
  }
}
